import { describe, expect, it } from 'vitest'
import type { Principal } from '../../src/access/principal.ts'
import { Grants } from '../../src/access/scopes/grants.ts'
import { clients, RawClient } from '../hostile/raw-client.ts'
import { type Ask, cart, register, type ServerScope, type ServerSetup, withServer } from './with-server.ts'

const limited = { code: 'COORD_RATE_LIMITED', retryable: true }

/** Takes the name in a header for the proof of who sends a request. */
const named: ServerSetup['prepare'] = ({ app }) => {
  app.addHook('onRequest', (request, _, done) => {
    const id = String(request.headers['x-test-principal'] ?? '')
    const principal: Principal = { kind: 'token', id, actor: id, grants: Grants.ALL }
    Object.assign(request, { principal })
    done()
  })
}

const as = (name: string) => ({ 'x-test-principal': name })

function metric({ ask }: ServerScope, limit: string): Promise<number> {
  const name = `coordinator_limited_total{limit="${limit}"}`
  return ask('/metrics').then(({ text }) => {
    const line = text.split('\n').find((each) => each.startsWith(name))
    return Number(line?.split(' ')[1])
  })
}

describe('LIMIT_WRITES_PER_SECOND', () => {
  const setup = { settings: { limitWritesPerSecond: 5 }, prepare: named }

  it('refuses what one principal writes beyond it, says when to come back, and concerns nobody else', () =>
    withServer(async (scope) => {
      const { ask } = scope
      const serviceId = await register(scope)
      const batch = (name: string, count: number): Ask => ({
        headers: as(name),
        json: Array.from({ length: count }, (_, at) => ({ ...cart, serviceName: `${name}-${at}` })),
      })
      expect((await ask('/register/batch', batch('token:a', 20))).body).toMatchObject({ registered: 20 })
      for (const [method, path] of [
        ['POST', '/register'],
        ['DELETE', `/services/${serviceId}`],
        ['PUT', '/knowledge-graph/nodes/team:x'],
      ] as const) {
        const refused = await ask(path, { method, headers: as('token:a'), json: cart })
        expect([path, refused.status]).toEqual([path, 429])
        expect(refused.body).toMatchObject({ ...limited, outcome: 'not_written' })
        expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(2)
      }
      expect(await metric(scope, 'writes')).toBe(3)
      expect((await ask('/register/batch', batch('token:b', 5))).body).toMatchObject({ registered: 5 })
      // Neither reads nor heartbeats nor questions about a write are writes.
      for (let at = 0; at < 10; at += 1) {
        const heartbeat = { method: 'PUT', headers: as('token:a'), json: {} }
        expect((await ask(`/services/${serviceId}/heartbeat`, heartbeat)).status).toBe(200)
        const dryRun = await ask('/register?dryRun=true', { headers: as('token:a'), json: cart })
        expect(dryRun.status).toBe(200)
        expect((await ask('/services', { headers: as('token:a') })).status).toBe(200)
      }
    }, setup))

  it('belongs to the client where nobody proves who they are, also behind a trusted proxy', () =>
    withServer(
      async ({ ask }) => {
        const from = (address: string) => ({ 'x-forwarded-for': address })
        const status = async (address: string) =>
          (await ask('/register', { headers: from(address), json: cart })).status
        const batch = [...Array(30)].map(() => cart)
        await ask('/register/batch', { headers: from('203.0.113.1'), json: batch })
        expect(await status('203.0.113.1')).toBe(429)
        expect(await status('203.0.113.2')).toBe(200)
      },
      { settings: { ...setup.settings, trustedProxies: ['127.0.0.1'], host: '0.0.0.0' } },
    ))
})

describe('LIMIT_STREAMS', () => {
  it('counts streams of the journal and requests that wait, until they close', () =>
    withServer(
      async (scope) => {
        const { ask, url } = scope
        const streaming = { accept: 'text/event-stream', ...as('token:a') }
        using open = clients(2, () => new RawClient(url, '/changes', streaming))
        using waiting = new RawClient(url, '/changes?wait=60', as('token:a'))
        await expect.poll(() => open.every(({ head }) => head.includes('retry:'))).toBe(true)
        await expect
          .poll(async () => (await ask('/changes?wait=1', { headers: as('token:a') })).status)
          .toBe(429)
        for (const [path, accept] of [
          ['/changes', 'text/event-stream'],
          ['/snapshot', '*/*'],
          ['/services', 'application/x-ndjson'],
          ['/knowledge-graph', '*/*'],
        ] as const) {
          const refused = await ask(path, { headers: { accept, ...as('token:a') } })
          expect({ path, body: refused.body }).toMatchObject({ path, body: limited })
          expect(refused.headers.get('retry-after')).toBe('1')
        }
        expect(await metric(scope, 'streams')).toBeGreaterThanOrEqual(5)
        // Pages do not wait, and others have their own.
        expect((await ask('/changes', { headers: as('token:a') })).status).toBe(200)
        expect((await ask('/services', { headers: as('token:a') })).status).toBe(200)
        expect((await ask('/snapshot', { headers: as('token:b') })).status).toBe(200)
        open[0]?.socket.destroy()
        const headers = as('token:a')
        await expect.poll(async () => (await ask('/snapshot', { headers })).status).toBe(200)
        // A stream that has ended leaves its place to the next one.
        expect((await ask('/snapshot', { headers })).status).toBe(200)
        expect(waiting.closed).toBe(false)
      },
      { settings: { limitStreams: 3 }, prepare: named },
    ))
})
