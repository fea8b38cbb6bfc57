import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import type { Metrics } from '../../src/telemetry/metrics.ts'
import { turns } from '../support/turns.ts'
import { until } from '../support/with-live.ts'
import { cart, withServer } from './with-server.ts'

const statusOf = (answer: string) => Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1])
const bodyOf = (answer: string) => JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4))
const get = (path: string, more = '') => `GET ${path} HTTP/1.1\r\nHost: x\r\n${more}\r\n`
/** What the metrics have counted of answers: labels and number. */
const countedBy = async (metrics: Metrics) =>
  Array.from(
    (await metrics.text()).matchAll(/^coordinator_http_request_duration_seconds_count(.*)/gm),
    ([, counted]) => counted,
  )
const json = JSON.stringify(cart)
const post = (length: number, body: string) =>
  `POST /register HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n${body}`

describe('http: on the wire', () => {
  it.each([
    ['no HTTP at all', 'hello\r\n\r\n', 400, 'COORD_REQUEST_MALFORMED'],
    ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400, 'COORD_REQUEST_MALFORMED'],
    ['an unknown method', 'FETCH / HTTP/1.1\r\nHost: x\r\n\r\n', 400, 'COORD_REQUEST_MALFORMED'],
    ['a header without a colon', 'GET / HTTP/1.1\r\nHost x\r\n\r\n', 400, 'COORD_REQUEST_MALFORMED'],
    ['two lengths', get('/', 'Content-Length: 1\r\nContent-Length: 2\r\n'), 400, 'COORD_REQUEST_MALFORMED'],
    [
      'a length and chunks',
      get('/', 'Content-Length: 1\r\nTransfer-Encoding: chunked\r\n'),
      400,
      'COORD_REQUEST_MALFORMED',
    ],
    [
      'a broken chunk',
      'POST /register HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
      400,
      'COORD_REQUEST_MALFORMED',
    ],
    ['headers of 20 KiB', get('/', `X-Large: ${'x'.repeat(20_000)}\r\n`), 431, 'COORD_HEADERS_TOO_LARGE'],
    ['a path of 20 KiB', get(`/${'x'.repeat(20_000)}`), 431, 'COORD_HEADERS_TOO_LARGE'],
  ])('%s is answered with a problem, and the connection ended', (_, bytes, status, code) =>
    withServer(async ({ raw, ask, metrics }) => {
      const answer = await raw(bytes, 2_000)
      expect([statusOf(answer), bodyOf(answer).code]).toEqual([status, code])
      expect(answer).toMatch(/\r\nConnection: close\r\n/i)
      expect(await countedBy(metrics)).toEqual([`{method="other",route="none",status="${status}"} 1`])
      expect((await ask('/health/live')).status).toBe(200)
    }),
  )

  it('a request without Host is refused with a problem', () =>
    withServer(async ({ raw }) => {
      const answer = await raw('GET /health HTTP/1.1\r\n\r\n')
      expect([statusOf(answer), bodyOf(answer).code]).toEqual([400, 'COORD_REQUEST_MALFORMED'])
    }))

  it('bytes that are no HTTP never look like the answer to the request before them', () =>
    withServer(async ({ port, store, live }) => {
      const release = Promise.withResolvers<void>()
      store.next('commit', { does: 'wait', for: release.promise })
      const socket = connect(port, '127.0.0.1')
      let received = ''
      socket.on('data', (chunk: Buffer) => {
        received += chunk.toString()
      })
      socket.write(post(json.length, json))
      await until(() => store.callsOf('commit').length === 1)
      socket.write('garbage\r\n\r\n')
      await new Promise((resolve) => socket.once('close', resolve))
      release.resolve()
      expect(received).toBe('')
      await live.waitForRevision(1)
    }))

  it('requests that come at once on one connection are answered in order', () =>
    withServer(async ({ raw }) => {
      const answers = (
        await raw(get('/health/live') + post(json.length, json) + get('/services') + get('/nope'))
      ).match(/HTTP\/1\.1 \d{3}/g)
      expect(answers).toEqual(['HTTP/1.1 200', 'HTTP/1.1 201', 'HTTP/1.1 200', 'HTTP/1.1 404'])
    }))

  it('a body that is too large is answered while it is still being sent, with its length or in chunks', () =>
    withServer(async ({ url, live }) => {
      const headers = { 'content-type': 'application/json' }
      const large = Buffer.alloc(8 * 1_048_576, 0x20)
      const whole = await fetch(`${url}/register`, { method: 'POST', headers, body: large })
      expect([whole.status, (await whole.json()).code]).toEqual([413, 'COORD_BODY_TOO_LARGE'])
      const chunks = await fetch(`${url}/register`, {
        method: 'POST',
        headers,
        body: new Blob([large]).stream(),
        duplex: 'half',
      } as RequestInit)
      expect([chunks.status, (await chunks.json()).code]).toEqual([413, 'COORD_BODY_TOO_LARGE'])
      expect(live.view.revision).toBe(0)
    }))

  it('a body that would take too long to throw away is answered at once, and the connection ended', () =>
    withServer(async ({ raw }) => {
      const answer = await raw(post(200 * 1_048_576, '{'), 2_000)
      expect([statusOf(answer), bodyOf(answer).code]).toEqual([413, 'COORD_BODY_TOO_LARGE'])
      expect(answer).toMatch(/\r\nConnection: close\r\n/)
    }))

  it('a body that ends too early stores nothing, and does no harm', () =>
    withServer(async ({ port, ask, live, log, nextRequest, server }) => {
      const arrived = nextRequest()
      const connected = once(server.app.server, 'connection')
      const socket = connect(port, '127.0.0.1')
      socket.write(post(json.length, json.slice(0, 10)))
      const [served] = (await connected) as [Socket]
      await arrived
      const closed = new Promise((resolve) => served.once('close', resolve))
      socket.resetAndDestroy()
      await closed
      await turns()
      expect((await ask('/register', { json: cart })).status).toBe(201)
      expect(live.view.revision).toBe(1)
      expect(log.filter((line) => line.includes('"level":"error"'))).toEqual([])
    }))

  it('a request that does not arrive in time is answered with 408', () =>
    withServer(
      async ({ raw, metrics }) => {
        for (const start of ['GET /health HTTP/1.1\r\nHost: x\r\n', post(100, '{')]) {
          const answer = await raw(start, 3_000)
          expect([statusOf(answer), bodyOf(answer).code]).toEqual([408, 'COORD_REQUEST_TIMEOUT'])
        }
        expect(await countedBy(metrics)).toEqual(['{method="other",route="none",status="408"} 2'])
      },
      { requestTimeoutMs: 200 },
    ))

  it('a client that goes away while lines are sent to it stops nothing', () =>
    withServer(async ({ port, ask, log, server }) => {
      const batch = Array.from({ length: 1_000 }, (_, n) => ({
        ...cart,
        serviceName: `s${n}`,
        description: 'x'.repeat(600),
      }))
      expect((await ask('/register/batch', { json: batch.slice(0, 900) })).status).toBe(200)
      const connected = once(server.app.server, 'connection')
      const socket = connect(port, '127.0.0.1')
      socket.write(get('/services', 'Accept: application/x-ndjson\r\n'))
      const [served] = (await connected) as [Socket]
      await new Promise((resolve) => socket.once('data', resolve))
      const closed = new Promise((resolve) => served.once('close', resolve))
      socket.resetAndDestroy()
      await closed
      await turns()
      expect((await ask('/services?limit=1')).body.total).toBe(900)
      expect(log.filter((line) => line.includes('"level":"error"'))).toEqual([])
    }))

  it('a client that takes nothing of its lines is cut off, and a slow one is not', () =>
    withServer(
      async ({ port, ask, server }) => {
        const large = (n: number) => ({ ...cart, serviceName: `s${n}`, description: 'x'.repeat(4_000) })
        for (let start = 0; start < 4_000; start += 200) {
          const json = Array.from({ length: 200 }, (_, at) => large(start + at))
          expect((await ask('/register/batch', { json })).body.failed).toBe(0)
        }
        const lines = get('/services', 'Accept: application/x-ndjson\r\nConnection: close\r\n')
        const connected = once(server.app.server, 'connection')
        const stalled = connect(port, '127.0.0.1').pause()
        const [served] = (await connected) as [Socket]
        const cut = new Promise((resolve) => served.once('close', resolve))
        const ended = new Promise((resolve) => stalled.once('close', resolve))
        stalled.on('error', () => undefined).write(lines)
        const slow = connect(port, '127.0.0.1')
        slow.write(lines)
        let received = ''
        for await (const chunk of slow) {
          received += String(chunk)
          if (received.length < 4_000_000) await new Promise((resolve) => setTimeout(resolve, 20))
        }
        expect(received.match(/"serviceName":/g)).toHaveLength(4_000)
        await cut
        // What the system had taken already can still be read; the end is not there.
        let rest = ''
        stalled.on('data', (chunk: Buffer) => {
          rest += chunk
        })
        stalled.resume()
        await ended
        expect(rest.match(/"serviceName":/g)?.length).toBeLessThan(4_000)
      },
      { stallTimeoutMs: 1_500 },
    ))
})
