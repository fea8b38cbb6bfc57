import { describe, expect, it } from 'vitest'
import { Access } from '../../src/access/access.ts'
import { MemoryStore } from '../../src/database/memory/store.ts'
import { cart, type Reply, type ServerScope, withServer } from './with-server.ts'

const adminToken = 'the administrator of this test, and nobody else'
const stock = { ...cart, serviceName: 'stock', endpoint: 'http://stock:7070' }

interface Asked {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly json?: unknown
}

interface Scope extends ServerScope {
  /** Asks with a token that has these scopes. */
  as(...scopes: readonly string[]): Promise<(path: string, asked?: Asked) => Promise<Reply>>
  readonly admin: (path: string, asked?: Asked) => Promise<Reply>
}

/** A server that demands credentials. */
async function withTokens(body: (scope: Scope) => Promise<void>, inner = new MemoryStore()): Promise<void> {
  const access = new Access({ mode: 'required', adminToken, store: inner.access })
  await withServer(
    async (scope) => {
      await access.start()
      const asking =
        (token: string) =>
        (path: string, { headers, ...asked }: Asked = {}) =>
          scope.ask(path, { ...asked, headers: { ...headers, authorization: `Bearer ${token}` } })
      let made = 0
      await body({
        ...scope,
        admin: asking(adminToken),
        async as(...scopes) {
          made += 1
          const wish = { name: `t${made}`, scopes, expiresAt: null }
          return asking((await access.createToken(wish, 'test')).token)
        },
      })
    },
    { inner, access, options: { requiredSince: () => access.requiredSince } },
  ).finally(() => access.stop())
}

/** Everything that a client can see of an answer but what is another for each request, and as long as the id that it named. */
function visible({ status, headers, text }: Reply): object {
  const shown = [...headers].filter(([name]) => !['date', 'x-request-id'].includes(name))
  return { status, headers: shown, text: text.replace(/"requestId":"[^"]*"/, '') }
}

const byId: Readonly<Record<string, (id: string) => [string, Asked]>> = {
  'PUT a heartbeat': (id) => [`/services/${id}/heartbeat`, { method: 'PUT', json: { status: 'up' } }],
  'PUT a heartbeat with a bad body': (id) => [
    `/services/${id}/heartbeat`,
    { method: 'PUT', json: { status: 1 } },
  ],
  'POST the second stage': (id) => [`/register/${id}/migration`, { json: { migrationFile: {} } }],
  DELETE: (id) => [`/services/${id}`, { method: 'DELETE' }],
}

describe('http: names', () => {
  it.each(Object.keys(byId))(
    '%s: answers the same 404, byte for byte, for what is foreign, gone and unknown',
    (name) =>
      withTokens(async ({ admin, as, live }) => {
        const foreign = (await admin('/register', { json: stock })).body
        const gone = (await admin('/register', { json: { ...stock, version: '2' } })).body
        await admin(`/services/${gone.serviceId}`, { method: 'DELETE' })
        const own = (await admin('/register', { json: cart })).body
        const mark = live.view.lineage.slice(0, 8)
        const ask = await as('register:cart')
        const request = byId[name] as (id: string) => [string, Asked]
        const conditions: Record<string, string>[] = [
          {},
          ...['*', `"${mark}-${foreign.revision}"`, `"${mark}-77"`].map((etag) => ({ 'if-match': etag })),
          { 'if-none-match': '*' },
          { 'idempotency-key': 'k' },
        ]
        for (const headers of conditions) {
          const answers: object[] = []
          for (const id of [foreign.serviceId, gone.serviceId, crypto.randomUUID()]) {
            const [path, asked] = request(id)
            answers.push(visible(await ask(path, { ...asked, headers })))
          }
          expect(answers[0]).toMatchObject({ status: 404 })
          expect(answers).toEqual([answers[0], answers[0], answers[0]])
          expect(JSON.stringify(answers)).not.toMatch(/stock|deletedAtRevision|etag/i)
        }
        const [path, asked] = request(own.serviceId)
        expect((await ask(path, asked)).status).toBe(name.includes('bad body') ? 400 : 200)
      }),
  )

  it('are judged for each item of a batch, with the problem in the place of the item', () =>
    withTokens(async ({ as }) => {
      const ask = await as('register:cart')
      const { status, body } = await ask('/register/batch', { json: [stock, cart] })
      expect(status).toBe(200)
      expect(body).toMatchObject({ registered: 1, failed: 1 })
      expect(body.results).toMatchObject([
        {
          ...{ success: false, status: 403, code: 'COORD_SCOPE_MISSING', outcome: 'not_written' },
          ...{ detail: 'This needs the scope `register:stock`.', scope: 'register:stock' },
        },
        { success: true, statusCode: 201 },
      ])
    }))

  it('of others can be simulated by readers, and by nobody else', () =>
    withTokens(async ({ as, live }) => {
      const reader = await as('read')
      const simulated = await reader('/register?dryRun=true', { json: stock })
      expect(simulated).toMatchObject({ status: 200, body: { dryRun: true } })
      const refusals = [
        await reader('/register', { json: stock }),
        await reader('/register?dryRun=false', { json: stock }),
        await (await as('register:stock'))('/register?dryRun=true', { json: stock }),
      ]
      for (const { status, body } of refusals)
        expect([status, body.code, body.outcome]).toEqual([403, 'COORD_SCOPE_MISSING', 'not_written'])
      expect(live.view.revision).toBe(0)
    }))

  it('give each token idempotency keys of its own', () =>
    withTokens(async ({ as, live }) => {
      const [one, two] = [await as('register:*'), await as('register:*')]
      const keyed = (json: unknown) => ({ json, headers: { 'idempotency-key': 'deploy' } })
      expect((await one('/register', keyed(cart))).status).toBe(201)
      const other = await two('/register', keyed(stock))
      expect([other.status, other.body.replayed]).toEqual([201, undefined])
      expect((await one('/register', keyed(cart))).body.replayed).toBe(true)
      expect((await one('/register', keyed(stock))).status).toBe(422)
      expect(live.view.revision).toBe(2)
    }))

  it('take the scope graph for nodes and edges, also that of a service that the caller may register', () =>
    withTokens(async ({ as, live }) => {
      const ask = await as('register:cart', 'read')
      await ask('/register', { json: cart })
      for (const path of ['nodes/service:cart', 'nodes/team:a', 'edges/team:a,owns,service:cart'])
        for (const method of ['PUT', 'PATCH', 'DELETE'])
          for (const prefix of ['/knowledge-graph', '/graph']) {
            const json = method === 'DELETE' ? undefined : {}
            expect((await ask(`${prefix}/${path}`, { method, json })).status).toBe(403)
          }
      expect(live.view.revision).toBe(1)
    }))
})

describe('http: the journal of a coordinator that demanded nothing before', () => {
  it('shows as unproven what was written until then', async () => {
    const inner = new MemoryStore()
    await withServer(
      async ({ ask }) => {
        await ask('/register', { json: cart, headers: { 'x-coordinator-actor': 'token:boss' } })
        await ask('/register', { json: stock })
        // The store lives on for the next coordinator.
        inner.close = async () => undefined
      },
      { inner },
    )
    await withTokens(async ({ admin, live }) => {
      await live.catchUp()
      await admin('/register', { json: { ...cart, version: '9.0.0' } })
      const { entries } = (await admin('/changes?after=0')).body
      const shown = entries.map(({ actor, unproven }: { actor: string; unproven?: true }) => [
        actor,
        unproven,
      ])
      expect(shown).toEqual([
        [expect.stringContaining('http:'), true],
        [expect.stringContaining('http:'), true],
        ['admin', undefined],
      ])
    }, inner)
  })
})
