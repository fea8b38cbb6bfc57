import { describe, expect, it } from 'vitest'
import { cart, register, withServer } from './with-server.ts'

describe('http: a slash at the end of a path', () => {
  it('makes no difference for reads', () =>
    withServer(async (scope) => {
      const id = await register(scope)
      for (const path of [
        '/services',
        `/services/${id}`,
        '/health',
        '/knowledge-graph',
        '/docs',
        '/changes',
      ]) {
        const [plain, slashed] = [await scope.ask(path), await scope.ask(`${path}/`)]
        expect([path, slashed.status]).toEqual([path, 200])
        // The links of a page are relative to its address.
        if (path !== '/health' && path !== '/docs') expect(slashed.text).toBe(plain.text)
      }
      expect((await scope.ask('/services/?limit=1')).body.total).toBe(1)
      expect((await scope.ask('/services//')).status).toBe(404)
    }))

  it('makes none for writes that end with a word', () =>
    withServer(async ({ ask }) => {
      const { status, body } = await ask('/register/', { json: cart })
      expect(status).toBe(201)
      expect((await ask('/register/batch/', { json: [cart] })).body.registered).toBe(1)
      const json = { migrationFile: { tables: ['t'] } }
      expect((await ask(`/register/${body.serviceId}/migration/`, { json })).status).toBe(200)
      expect((await ask(`/services/${body.serviceId}/heartbeat/`, { method: 'PUT' })).status).toBe(200)
    }))

  it('after an id refuses a write, which could be meant for another record', () =>
    withServer(async (scope) => {
      const id = await register(scope)
      const encoded = '/knowledge-graph/nodes/team:a%252F'
      for (const [method, path] of [
        ['DELETE', `/services/${id}/`],
        ['PUT', '/knowledge-graph/nodes/team:a/'],
        ['PATCH', '/graph/nodes/team:a/?'],
        ['DELETE', '/knowledge-graph/edges/team:a,owns,service:cart/'],
      ] as const) {
        const json = method === 'DELETE' ? undefined : { label: 'A' }
        const { status, body } = await scope.ask(path, { method, json })
        expect([path, status, body.code, body.outcome]).toEqual([
          ...[path, 404, 'COORD_ROUTE_NOT_FOUND', 'not_written'],
        ])
        expect(body.hint).toContain('%2F')
      }
      expect(scope.live.view.revision).toBe(1)
      expect((await scope.ask(encoded, { method: 'PUT', json: { label: 'A' } })).body.id).toBe('team:a%2F')
    }))
})
