import { describe, expect, it } from 'vitest'
import { cart, register, type ServerScope, withServer } from './with-server.ts'

const node = '/knowledge-graph/nodes/team:t'

async function assertNode({ ask }: ServerScope): Promise<string> {
  const { headers } = await ask(node, { method: 'PUT', json: { label: 'T' } })
  return headers.get('etag') as string
}

describe('http: a write under a condition', () => {
  it('If-None-Match: * refuses to deregister a service that exists, and keeps it', () =>
    withServer(async (scope) => {
      const id = await register(scope)
      const { status, body } = await scope.ask(`/services/${id}`, {
        method: 'DELETE',
        headers: { 'if-none-match': '*' },
      })
      expect([status, body.code, body.outcome]).toEqual([412, 'COORD_PRECONDITION_FAILED', 'not_written'])
      expect((await scope.ask(`/services/${id}`)).body.service).toMatchObject({ serviceId: id, revision: 1 })
      expect(scope.live.view.revision).toBe(1)
    }))

  it('an older ETag refuses to deregister, and If-Match: * of nothing is 412 and not 404', () =>
    withServer(async (scope) => {
      const first = await scope.ask('/register', { json: cart })
      const etag = first.headers.get('etag') as string
      const path = `/services/${first.body.serviceId}`
      await scope.ask('/register', { json: { ...cart, tags: ['x'] } })
      const remove = (value: string) => scope.ask(path, { method: 'DELETE', headers: { 'if-match': value } })
      const refused = await remove(etag)
      expect([refused.status, refused.body.expected, refused.body.actual]).toEqual([412, 1, 2])
      expect((await remove('*')).status).toBe(200)
      const again = await remove('*')
      expect([again.status, again.body.code, again.body.actual]).toEqual([
        412,
        'COORD_PRECONDITION_FAILED',
        0,
      ])
      expect((await scope.ask(path, { method: 'DELETE' })).status).toBe(404)
    }))

  it.each(['PUT', 'PATCH', 'DELETE'])(
    'If-None-Match: * refuses to %s what is asserted, and keeps it',
    (method) =>
      withServer(async (scope) => {
        await assertNode(scope)
        const json = method === 'DELETE' ? undefined : { label: 'other' }
        const { status, body } = await scope.ask(node, { method, json, headers: { 'if-none-match': '*' } })
        expect([status, body.code]).toEqual([412, 'COORD_PRECONDITION_FAILED'])
        expect((await scope.ask(node)).body.node.label).toBe('T')
        expect(scope.live.view.revision).toBe(1)
      }),
  )

  it.each(['PUT', 'PATCH', 'DELETE'])(
    'an older ETag refuses to %s what is asserted, the newest one does it',
    (method) =>
      withServer(async (scope) => {
        const old = await assertNode(scope)
        const { headers } = await scope.ask(node, { method: 'PATCH', json: { properties: { a: 1 } } })
        const json = method === 'DELETE' ? undefined : { label: 'other' }
        const write = (etag: string) => scope.ask(node, { method, json, headers: { 'if-match': etag } })
        const refused = await write(old)
        expect([refused.status, refused.body.expected, refused.body.actual]).toEqual([412, 1, 2])
        expect((await write(headers.get('etag') as string)).status).toBe(200)
        expect(scope.live.view.revision).toBe(3)
      }),
  )

  it.each(['if-match', 'if-none-match'])('a batch cannot carry %s: 400, and nothing is stored', (header) =>
    withServer(async (scope) => {
      const { status, body } = await scope.ask('/register/batch', {
        json: [cart],
        headers: { [header]: '*' },
      })
      expect([status, body.code, body.outcome]).toEqual([400, 'COORD_HEADER_INVALID', 'not_written'])
      expect(scope.live.view.revision).toBe(0)
    }),
  )
})

describe('http: an Idempotency-Key', () => {
  const keyed = { 'idempotency-key': 'k' }

  it('belongs to one route: the same key with the same body on another one is 422', () =>
    withServer(async (scope) => {
      const [one, two] = [await register(scope), await register(scope, { ...cart, serviceName: 'b' })]
      const migrate = (id: string) =>
        scope.ask(`/register/${id}/migration`, { json: { migrationFile: { tables: ['t'] } }, headers: keyed })
      const first = await migrate(one)
      expect(first.status).toBe(200)
      const other = await migrate(two)
      expect([other.status, other.body.code, other.body.revision]).toEqual([
        422,
        'COORD_IDEMPOTENCY_REUSED',
        first.body.revision,
      ])
      expect((await scope.ask(`/services/${two}`)).body.service.status).toBe('pending_migration')
    }))

  it('belongs to one service where there is no body: another one is not deregistered', () =>
    withServer(async (scope) => {
      const [one, two] = [await register(scope), await register(scope, { ...cart, serviceName: 'b' })]
      const remove = (id: string) => scope.ask(`/services/${id}`, { method: 'DELETE', headers: keyed })
      expect((await remove(one)).body).toMatchObject({ revision: 3 })
      expect((await remove(one)).body).toMatchObject({ revision: 3, replayed: true })
      expect((await remove(two)).status).toBe(422)
      expect((await scope.ask(`/services/${two}`)).status).toBe(200)
    }))

  it('belongs to one method: PUT and PATCH of a node with the same body are two requests', () =>
    withServer(async ({ ask }) => {
      const write = (method: string, path = node) =>
        ask(path, { method, json: { label: 'T' }, headers: keyed })
      expect((await write('PUT')).status).toBe(201)
      expect((await write('PUT')).body).toMatchObject({ revision: 1, replayed: true })
      expect((await write('PATCH')).status).toBe(422)
      expect((await write('PUT', '/knowledge-graph/nodes/team:u')).status).toBe(422)
    }))

  it('of a batch is known again when its first registration comes alone, and not when the second does', () =>
    withServer(async ({ ask }) => {
      const batch = [cart, { ...cart, serviceName: 'b' }]
      expect((await ask('/register/batch', { json: batch, headers: keyed })).body.registered).toBe(2)
      const first = await ask('/register', { json: batch[0], headers: keyed })
      expect(first.body).toMatchObject({ revision: 1, replayed: true })
      expect((await ask('/register', { json: batch[1], headers: keyed })).status).toBe(422)
      const again = await ask('/register/batch', { json: batch, headers: keyed })
      expect(again.body.results).toMatchObject([
        { revision: 1, replayed: true },
        { revision: 2, replayed: true },
      ])
    }))
})
