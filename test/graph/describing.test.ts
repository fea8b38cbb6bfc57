import { describe, expect, it } from 'vitest'
import { writtenBy } from '../support/written-by.ts'
import { put, withGraph } from './support/with-graph.ts'

const service = (serviceName: string, fields: object = {}) => ({
  serviceName,
  version: '1.0.0',
  endpoint: 'http://host:80',
  ...fields,
})

describe('a node as it is shown', () => {
  it('lists the first hundred instances of a name, and counts them all', () =>
    withGraph(async ({ graph, registry }) => {
      const many = (count: number) =>
        Array.from({ length: count }, (_, at) =>
          service('many', { instanceId: `i${at}`, version: `1.0.${at % 3}`, tags: [`t${at % 2}`] }),
        )
      await registry.registerBatch(many(101), writtenBy('test'))
      const { node } = await graph.ask({ ask: 'node', id: 'service:many' })
      expect(node.data).toMatchObject({
        serviceName: 'many',
        instanceCount: 101,
        versions: ['1.0.0', '1.0.1', '1.0.2'],
        tags: ['t0', 't1'],
      })
      expect(node.data['instances']).toHaveLength(100)
      expect(node.data).not.toHaveProperty('describedInstances')
      const [first] = node.data['instances'] as readonly { serviceId: string; status: string }[]
      expect(first).toMatchObject({
        status: 'pending_migration',
        endpoint: 'http://host:80',
        version: expect.any(String),
      })
    }))

  it('says how many instances were looked at, where there are more than a thousand', () =>
    withGraph(async ({ graph, registry }) => {
      const many = Array.from({ length: 1_001 }, (_, at) => service('many', { instanceId: `i${at}` }))
      for (const start of [0, 1_000])
        await registry.registerBatch(many.slice(start, start + 1_000), writtenBy('test'))
      const { node } = await graph.ask({ ask: 'node', id: 'service:many' })
      expect(node.data).toMatchObject({ instanceCount: 1_001, describedInstances: 1_000 })
    }))

  it('has the label and properties that were asserted: of several records of a hand the one with the later id', () =>
    withGraph(async ({ graph, commit, register }) => {
      await register('a')
      await commit(
        put('node', 'n1', { id: 'service:a', label: 'first', properties: { x: 1, y: 1 } }),
        put('node', 'n2', { id: 'service:a', label: 'second', properties: { y: 2 } }),
        put('node', 'n3', { id: 'service:a' }),
      )
      const { node } = await graph.ask({ ask: 'node', id: 'service:a' })
      expect(node.label).toBe('second')
      expect(node.data).toMatchObject({ serviceName: 'a', properties: { x: 1, y: 2 } })
    }))

  it('is unresolved where nobody states it, and has no data of its own', () =>
    withGraph(async ({ graph, register }) => {
      await register('a', { dependencies: ['gone', { serviceName: 'gone', version: '^2', type: 'grpc' }] })
      expect((await graph.ask({ ask: 'node', id: 'gone' })).node).toEqual({
        id: 'service:gone',
        label: 'gone',
        type: 'service',
        namespace: 'default',
        data: { unresolved: true },
      })
      const { edge } = await graph.ask({ ask: 'edge', id: 'service:a,depends_on,service:gone,declared' })
      expect(edge).toMatchObject({
        source: 'service:a',
        target: 'service:gone',
        type: 'depends_on',
        origin: 'declared',
        revision: 1,
        data: { declaredBy: 1, versions: ['^2'], dependencyTypes: ['grpc'] },
      })
    }))

  it('shows an edge without an origin as the asserted one, where there is a declared one too', () =>
    withGraph(async ({ graph, register }) => {
      await register('a', { dependencies: ['b'] })
      const id = 'service:a,depends_on,service:b'
      expect((await graph.ask({ ask: 'edge', id })).edge.origin).toBe('declared')
      await graph.asserted.put({ kind: 'edge', id }, { properties: { since: 1 } }, writtenBy('test'))
      expect((await graph.ask({ ask: 'edge', id })).edge).toMatchObject({
        origin: 'asserted',
        data: { properties: { since: 1 } },
      })
      expect((await graph.ask({ ask: 'edge', id: `${id},declared` })).edge.origin).toBe('declared')
      await expect(graph.ask({ ask: 'edge', id: `${id},observed` })).rejects.toMatchObject({
        code: 'COORD_EDGE_NOT_FOUND',
      })
    }))

  it('warns of ends of an edge that nobody has registered or asserted, and of no others', () =>
    withGraph(async ({ graph, register }) => {
      await register('a')
      const assert = async (id: string) =>
        (await graph.asserted.put({ kind: 'edge', id }, {}, writtenBy('test'))).warnings.map(
          ({ code, message }) => [code, /"([^"]+)"/.exec(message)?.[1]],
        )
      expect(await assert('team:t,owns,service:a')).toEqual([['unresolved_node', 'team:t']])
      await graph.asserted.put({ kind: 'node', id: 'team:t' }, {}, writtenBy('test'))
      expect(await assert('team:t,owns,service:a')).toEqual([])
      expect(await assert('team:x,owns,team:x')).toEqual([['unresolved_node', 'team:x']])
    }))
})

describe('the history of what was asserted', () => {
  it('says what each commit did, newest first, page by page', () =>
    withGraph(async ({ graph }) => {
      const context = writtenBy('test')
      await graph.asserted.put({ kind: 'node', id: 'team:t' }, { label: 'one' }, context)
      await graph.asserted.patch({ kind: 'node', id: 'team:t' }, { properties: { a: 1 } }, context)
      await graph.asserted.delete({ kind: 'node', id: 'team:t' }, context)
      await graph.asserted.put({ kind: 'node', id: 'team:t' }, {}, writtenBy('other'))
      const of = { kind: 'node', id: 'team:t' } as const
      const whole = await graph.history(of)
      expect(
        whole.entries.map(({ revision, action, label, properties, actor }) => [
          revision,
          action,
          label,
          properties,
          actor,
        ]),
      ).toEqual([
        [4, 'asserted', undefined, undefined, 'other'],
        [3, 'retracted', undefined, undefined, 'test'],
        [2, 'changed', 'one', { a: 1 }, 'test'],
        [1, 'asserted', 'one', undefined, 'test'],
      ])
      expect(whole).toMatchObject({ id: 'team:t', complete: true, revision: 4 })
      expect(whole.next).toBeUndefined()
      const first = await graph.history(of, { limit: 2 })
      expect([first.entries.length, first.next, first.complete]).toEqual([2, 3, false])
      const second = await graph.history(of, { limit: 2, before: first.next })
      expect([second.entries.map(({ revision }) => revision), second.next, second.complete]).toEqual([
        [2, 1],
        undefined,
        true,
      ])
      // Nothing below its first entry is no error; nothing at all is.
      expect((await graph.history(of, { before: 1 })).entries).toEqual([])
      for (const query of [{}, { before: 5 }])
        await expect(graph.history({ kind: 'node', id: 'team:none' }, query)).rejects.toMatchObject({
          code: 'COORD_NODE_NOT_FOUND',
        })
    }))
})
