import { describe, expect, it } from 'vitest'
import { Access } from '../../src/access/access.ts'
import { clients, RawClient } from '../hostile/raw-client.ts'
import { adminToken, bearer, withAccess } from './with-access.ts'
import { type Ask, cart, type ServerScope, withServer } from './with-server.ts'

const limited = { code: 'COORD_RATE_LIMITED', retryable: true }

function metric({ ask }: ServerScope, limit: string): Promise<number> {
  const name = `coordinator_limited_total{limit="${limit}"}`
  return ask('/metrics', { headers: bearer(adminToken) }).then(({ text }) => {
    const line = text.split('\n').find((each) => each.startsWith(name))
    return Number(line?.split(' ')[1])
  })
}

describe('LIMIT_WRITES_PER_SECOND', () => {
  const settings = { limitWritesPerSecond: 5 }

  it('refuses what one principal writes beyond it, says when to come back, and concerns nobody else', () =>
    withAccess(
      async (scope) => {
        const { ask, tokenWith } = scope
        const scopes = ['read', 'graph', 'register:*']
        const one = bearer((await tokenWith(scopes)).token)
        const other = bearer((await tokenWith(scopes)).token)
        const { body } = await ask('/register', { headers: bearer(adminToken), json: cart })
        const { serviceId } = body
        const batch = (headers: Readonly<Record<string, string>>, count: number): Ask => ({
          headers,
          json: Array.from({ length: count }, (_, at) => ({ ...cart, serviceName: `s-${at}` })),
        })
        expect((await ask('/register/batch', batch(one, 20))).body).toMatchObject({ registered: 20 })
        for (const [method, path] of [
          ['POST', '/register'],
          ['DELETE', `/services/${serviceId}`],
          ['PUT', '/knowledge-graph/nodes/team:x'],
        ] as const) {
          const refused = await ask(path, { method, headers: one, json: cart })
          expect([path, refused.status]).toEqual([path, 429])
          expect(refused.body).toMatchObject({ ...limited, outcome: 'not_written' })
          expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(2)
        }
        expect(await metric(scope, 'writes')).toBe(3)
        expect((await ask('/register/batch', batch(other, 5))).body).toMatchObject({ registered: 5 })
        // Neither reads nor heartbeats nor questions about a write are writes.
        for (let at = 0; at < 10; at += 1) {
          const heartbeat = { method: 'PUT', headers: one, json: {} }
          expect((await ask(`/services/${serviceId}/heartbeat`, heartbeat)).status).toBe(200)
          const dryRun = await ask('/register?dryRun=true', { headers: one, json: cart })
          expect(dryRun.status).toBe(200)
          expect((await ask('/services', { headers: one })).status).toBe(200)
        }
      },
      { settings },
    ))

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
      {
        settings: { ...settings, trustedProxies: ['127.0.0.1'], host: '0.0.0.0' },
        access: new Access({ mode: 'off' }),
      },
    ))
})

describe('LIMIT_STREAMS', () => {
  it('counts streams of the journal and requests that wait, until they close', () =>
    withAccess(
      async (scope) => {
        const { ask, url, tokenWith } = scope
        const one = bearer((await tokenWith(['read'])).token)
        const other = bearer((await tokenWith(['read'])).token)
        const streaming = { accept: 'text/event-stream', ...one }
        using open = clients(2, () => new RawClient(url, '/changes', streaming))
        using waiting = new RawClient(url, '/changes?wait=60', one)
        await expect.poll(() => open.every(({ head }) => head.includes('retry:'))).toBe(true)
        await expect.poll(async () => (await ask('/changes?wait=1', { headers: one })).status).toBe(429)
        for (const [path, accept] of [
          ['/changes', 'text/event-stream'],
          ['/snapshot', '*/*'],
          ['/services', 'application/x-ndjson'],
          ['/knowledge-graph', '*/*'],
        ] as const) {
          const refused = await ask(path, { headers: { accept, ...one } })
          expect({ path, body: refused.body }).toMatchObject({ path, body: limited })
          expect(refused.headers.get('retry-after')).toBe('1')
        }
        expect(await metric(scope, 'streams')).toBeGreaterThanOrEqual(5)
        // Pages do not wait, and others have their own.
        expect((await ask('/changes', { headers: one })).status).toBe(200)
        expect((await ask('/services', { headers: one })).status).toBe(200)
        expect((await ask('/snapshot', { headers: other })).status).toBe(200)
        open[0]?.socket.destroy()
        await expect.poll(async () => (await ask('/snapshot', { headers: one })).status).toBe(200)
        // A stream that has ended leaves its place to the next one.
        expect((await ask('/snapshot', { headers: one })).status).toBe(200)
        expect(waiting.closed).toBe(false)
      },
      { settings: { limitStreams: 3 } },
    ))
})

describe('bad credentials', () => {
  it('are throttled by the address that the proxy names, and good ones of the same address are not', () =>
    withAccess(
      async ({ ask, tokenWith }) => {
        const { token } = await tokenWith(['read'])
        const status = async (from: string, credential: string) =>
          (await ask('/services', { headers: { 'x-forwarded-for': from, ...bearer(credential) } })).status
        expect([await status('203.0.113.1', 'bad'), await status('203.0.113.1', 'bad')]).toEqual([401, 429])
        expect(await status('203.0.113.1', token)).toBe(200)
        expect(await status('203.0.113.2', 'bad')).toBe(401)
        // A client cannot take the address of another one.
        expect(await status('203.0.113.3, 203.0.113.1', 'bad')).toBe(429)
      },
      {
        settings: { trustedProxies: ['127.0.0.1'] },
        access: { badCredentials: { burst: 1, perSecond: 0.001 } },
      },
    ))
})
