import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { inTurns } from '../../src/scheduling/pace.ts'
import { turns } from '../support/turns.ts'
import { until } from '../support/with-live.ts'
import { type AccessScope, adminToken, bearer, withAccess } from './with-access.ts'
import { cart, forTest, forTrial } from './with-server.ts'

interface Opened {
  readonly response: IncomingMessage
  /** What has arrived so far. */
  readonly text: () => string
  /** `end` if the answer was complete, `cut` if the connection was closed before. */
  readonly ended: Promise<'end' | 'cut'>
}

function open({ url }: AccessScope, path: string, headers: Record<string, string>): Promise<Opened> {
  return new Promise((resolve, reject) => {
    get(url + path, { headers, agent: false }, (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => {
        text += chunk
      })
      const ended = new Promise<'end' | 'cut'>((settle) => {
        response.on('close', () => settle(response.complete ? 'end' : 'cut'))
      })
      response.on('error', () => undefined)
      resolve({ response, text: () => text, ended })
    }).on('error', reject)
  })
}

function* endless(count: () => void): Generator<undefined, never> {
  for (;;) {
    count()
    yield undefined
  }
}

/** Both ways in which a credential ends while something is open. */
const ends = ['is revoked', 'expires'] as const

describe.each(ends)('http: when a credential %s', (end) => {
  /** A token that ends when the test says so, or two seconds from now: long enough for a request to begin. */
  async function endingToken(scope: AccessScope) {
    const expiresAt = end === 'expires' ? Date.now() + 2_000 : null
    const { token, id } = await scope.tokenWith(['read', 'register:*'], expiresAt)
    const endIt = async () => {
      if (end === 'is revoked') await scope.access.revokeToken(id, 'test')
    }
    return { token, endIt }
  }

  const code = end === 'expires' ? 'COORD_CREDENTIAL_EXPIRED' : 'COORD_CREDENTIAL_REVOKED'

  it('its event streams end cleanly, and those of others go on', () =>
    withAccess(async (scope) => {
      const { token, endIt } = await endingToken(scope)
      const accept = 'text/event-stream'
      const other = await scope.tokenWith(['read'])
      const ending = await open(scope, '/changes', { accept, ...bearer(token) })
      const staying = await open(scope, '/changes', { accept, ...bearer(other.token) })
      await until(() => ending.text().includes('retry: 1000') && staying.text() !== '')
      await endIt()
      expect(await ending.ended).toBe('end')
      const { status } = await scope.ask('/register', { json: cart, headers: bearer(adminToken) })
      expect(status).toBe(201)
      await until(() => staying.text().includes('event: change'))
      expect(ending.text()).not.toContain('event: change')
      staying.response.destroy()
    }))

  it('its waiting requests are answered 401', () =>
    withAccess(async (scope) => {
      const { token, endIt } = await endingToken(scope)
      const arrived = scope.nextRequest()
      const asked = scope.ask('/changes?wait=60', { headers: bearer(token) })
      await arrived
      await endIt()
      const { status, body, headers } = await asked
      expect([status, body.code]).toEqual([401, code])
      expect(headers.get('www-authenticate')).toBe('Bearer realm="coordinator", error="invalid_token"')
      expect((await scope.ask('/access', { headers: bearer(token) })).status).toBe(401)
    }))

  it('its questions end, and are worked on no more', () => {
    let steps = 0
    return withAccess(
      async (scope) => {
        const { token, endIt } = await endingToken(scope)
        const asked = scope.ask('/endless', { headers: bearer(token) })
        await until(() => steps > 0)
        await endIt()
        expect((await asked).body).toMatchObject({ status: 401, code })
        const then = steps
        await turns()
        expect(steps).toBe(then)
      },
      { prepare: ({ app }) => app.get('/endless', forTest, () => inTurns(endless(() => steps++))) },
    )
  })

  it.each(['true', 'tru%65'])('its dry runs end, and are worked on no more: %s', (text) => {
    let steps = 0
    return withAccess(
      async (scope) => {
        const { token, endIt } = await endingToken(scope)
        const asked = scope.ask(`/endless?dryRun=${text}`, { json: {}, headers: bearer(token) })
        await until(() => steps > 0)
        await endIt()
        expect((await asked).body).toMatchObject({ status: 401, code, outcome: 'not_written' })
        const then = steps
        await turns()
        expect(steps).toBe(then)
      },
      { prepare: ({ app }) => app.post('/endless', forTrial, () => inTurns(endless(() => steps++))) },
    )
  })

  it('its streams of lines are cut, so that nobody takes a part for the whole', () =>
    withAccess(async (scope) => {
      const large = (n: number) => ({ ...cart, serviceName: `s${n}`, metadata: { text: 'x'.repeat(10_000) } })
      for (let start = 0; start < 1_000; start += 50) {
        const json = Array.from({ length: 50 }, (_, at) => large(start + at))
        await scope.ask('/register/batch', { json, headers: bearer(adminToken) })
      }
      const { token, endIt } = await endingToken(scope)
      const connected = once(scope.server.app.server, 'connection')
      // It reads nothing, so that the stream is open when the credential ends.
      const socket = connect(scope.port, '127.0.0.1').pause()
      socket.on('error', () => undefined)
      socket.write(`GET /snapshot HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n\r\n`)
      const [served] = (await connected) as [Socket]
      await until(() => served.bytesWritten > 100_000)
      await endIt()
      await once(served, 'close')
      let rest = ''
      socket.on('data', (chunk: Buffer) => {
        rest += chunk
      })
      socket.resume()
      await once(socket, 'close')
      expect(rest).toMatch(/^HTTP\/1\.1 200 /)
      expect(rest.match(/"serviceName":/g)?.length).toBeLessThan(1_000)
    }))
})

it('http: a body that arrives after the end of its credential writes nothing', () =>
  withAccess(async (scope) => {
    const { token, id } = await scope.tokenWith(['register:*'])
    const body = JSON.stringify(cart)
    const socket = connect(scope.port, '127.0.0.1')
    let answer = ''
    socket.on('data', (chunk: Buffer) => {
      answer += chunk
    })
    const arrived = scope.nextRequest()
    socket.write(
      `POST /register HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 5)}`,
    )
    await arrived
    await scope.access.revokeToken(id, 'test')
    socket.write(body.slice(5))
    await once(socket, 'close')
    expect(answer).toMatch(/^HTTP\/1\.1 401 [\s\S]*COORD_CREDENTIAL_REVOKED/)
    expect(scope.live.view.revision).toBe(0)
  }))

it('http: a write that has begun is stored, although its credential ends before the answer', () =>
  withAccess(async (scope) => {
    const { token, id } = await scope.tokenWith(['register:*'])
    scope.store.next('commit', { does: 'hang' })
    const writing = scope.ask('/register', { json: cart, headers: bearer(token) })
    await until(() => scope.live.figures.queueDepth > 0)
    await scope.access.revokeToken(id, 'test')
    scope.store.release()
    expect((await writing).status).toBe(201)
  }))
