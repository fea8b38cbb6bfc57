import { describe, expect, it } from 'vitest'
import { cart, register, withServer } from './with-server.ts'

describe('GET /namespaces', () => {
  it('lists the namespaces with their counts, by pages', () =>
    withServer(async (scope) => {
      await register(scope)
      await register(scope, { ...cart, namespace: 'shop' })
      await register(scope, { ...cart, namespace: 'shop', version: '2', migrationFile: {} })
      const first = await scope.ask('/namespaces?limit=1')
      expect(first.body).toEqual({
        success: true,
        namespaces: [{ namespace: 'default', services: 1, active: 0, nodes: 1 }],
        total: 2,
        nextCursor: 'default',
        revision: 3,
      })
      expect((await scope.ask('/namespaces?limit=1&cursor=default')).body).toEqual({
        success: true,
        namespaces: [{ namespace: 'shop', services: 2, active: 1, nodes: 1 }],
        total: 2,
        revision: 3,
      })
    }))

  it('lists what only nodes are in, and what only others need', () =>
    withServer(async (scope) => {
      await register(scope, { ...cart, namespace: 'shop' })
      await scope.ask('/knowledge-graph/nodes/team:@org:a', { method: 'PUT', json: {} })
      const need = 'team:@org:a,owns,service:@shop:cart,asserted'
      await scope.ask(`/knowledge-graph/edges/${need}`, { method: 'PUT', json: {} })
      const edge = 'service:@shop:cart,calls,service:@far:pay,asserted'
      await scope.ask(`/knowledge-graph/edges/${edge}`, { method: 'PUT', json: {} })
      const all = [
        { namespace: 'far', services: 0, active: 0, nodes: 1 },
        { namespace: 'org', services: 0, active: 0, nodes: 1 },
        { namespace: 'shop', services: 1, active: 0, nodes: 1 },
      ]
      expect((await scope.ask('/namespaces')).body).toMatchObject({ namespaces: all, total: 3 })
      const second = await scope.ask('/namespaces?limit=1&cursor=far')
      expect(second.body).toMatchObject({ namespaces: [all[1]], total: 3, nextCursor: 'org' })
      await scope.ask(`/knowledge-graph/edges/${edge}`, { method: 'DELETE' })
      expect((await scope.ask('/namespaces')).body).toMatchObject({ namespaces: all.slice(1), total: 2 })
    }))

  it('narrows lists of services, and refuses what no namespace can be', () =>
    withServer(async (scope) => {
      await register(scope)
      const id = await register(scope, { ...cart, namespace: 'shop' })
      const { body } = await scope.ask('/services?namespace=shop')
      expect(body).toMatchObject({ total: 1, services: [{ serviceId: id, namespace: 'shop' }] })
      expect((await scope.ask('/services?namespace=default&fields=namespace')).body.services).toEqual([
        { namespace: 'default' },
      ])
      for (const path of ['/services?namespace=Shop', '/namespaces?cursor=a/b']) {
        const refused = await scope.ask(path)
        expect([refused.status, refused.body.code]).toEqual([400, 'COORD_QUERY_INVALID'])
        expect(refused.body.detail).toContain('must have 1 to 63 characters of a-z, 0-9 and -')
      }
    }))
})
