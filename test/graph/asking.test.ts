import { describe, expect, it } from 'vitest'
import { MemoryStore } from '../../src/database/memory/store.ts'
import type { Moment } from '../../src/database/store.ts'
import type { KnowledgeGraph } from '../../src/graph/knowledge-graph.ts'
import { writtenBy } from '../support/written-by.ts'
import { withGraph } from './support/with-graph.ts'

const context = writtenBy('test')

describe('asking the graph', () => {
  it('answers the present with its revision, and the past as it was', () =>
    withGraph(async ({ graph, live, register }) => {
      await register('db')
      await register('api', { dependencies: ['db'] })
      const then = live.view.revision
      await register('web', { dependencies: ['api'] })
      const now = await graph.ask({ ask: 'impact', of: 'db' })
      expect(now).toMatchObject({ of: 'service:db', revision: then + 1, total: 2, complete: true })
      expect(now.nodes.map(({ id, distance, via }) => [id, distance, via])).toEqual([
        ['service:api', 1, []],
        ['service:web', 2, ['service:api']],
      ])
      const past = await graph.askPast({ revision: then }, { ask: 'impact', of: 'service:db' })
      expect(past).toMatchObject({ revision: then, total: 1 })
      expect(await graph.askPast({ at: live.view.at }, { ask: 'orphans' })).toMatchObject({
        revision: then + 1,
        total: 0,
      })
    }))

  it('names a node by its id, by the name of a service, and by an id that was decoded on the way', () =>
    withGraph(async ({ graph, register }) => {
      await register('a b:c')
      for (const of of ['service:a%20b%3Ac', 'a b:c'])
        expect(await graph.ask({ ask: 'impact', of })).toMatchObject({ of: 'service:a%20b%3Ac' })
      await register('x y')
      expect(await graph.ask({ ask: 'node', id: 'service:x y' })).toMatchObject({
        node: { id: 'service:x%20y', label: 'x y' },
      })
      for (const of of ['nobody', 'service:nobody', '', '\ud800', '%', ':'])
        await expect(graph.ask({ ask: 'impact', of })).rejects.toMatchObject({ code: 'COORD_NODE_NOT_FOUND' })
    }))

  it('the past below the floor and the future are refused by name, in every question', () =>
    withGraph(async ({ graph, live, register }) => {
      await register('a')
      await register('b')
      await register('c')
      await live.store.compact(2)
      await expect(graph.askPast({ revision: 1 }, { ask: 'orphans' })).rejects.toMatchObject({
        code: 'COORD_REVISION_COMPACTED',
      })
      await expect(graph.askPast({ revision: 99 }, { ask: 'orphans' })).rejects.toMatchObject({
        code: 'COORD_REVISION_FUTURE',
      })
      await expect(
        graph.diff({ from: { revision: 1 }, to: { revision: 3 }, limit: 10 }),
      ).rejects.toMatchObject({
        code: 'COORD_REVISION_COMPACTED',
      })
      await expect(
        graph.diff({ from: { revision: 2 }, to: { revision: 99 }, limit: 10 }),
      ).rejects.toMatchObject({
        code: 'COORD_REVISION_FUTURE',
      })
      await expect(
        graph.diff({ from: { revision: 3 }, to: { revision: 2 }, limit: 10 }),
      ).rejects.toMatchObject({
        code: 'COORD_QUERY_INVALID',
      })
      await expect(graph.askPast({ revision: 2 }, { ask: 'impact', of: 'c' })).rejects.toMatchObject({
        code: 'COORD_NODE_NOT_FOUND',
      })
    }))

  it('cycles and critical are the same whether they are found here or in another process', () =>
    withGraph(
      async ({ graph, live, register }) => {
        for (let at = 0; at < 40; at += 1)
          await register(`s${at}`, { dependencies: [`s${(at * 7 + 3) % 40}`, `s${(at * 3) % 40}`] })
        const there = {
          cycles: await graph.ask({ ask: 'cycles' }),
          critical: await graph.ask({ ask: 'critical' }),
        }
        const { KnowledgeGraph } = await import('../../src/graph/knowledge-graph.ts')
        const here = new KnowledgeGraph(live, { inlineMaxEdges: 1_000 })
        expect(there.cycles).toEqual(await here.ask({ ask: 'cycles' }))
        expect(there.critical).toEqual(await here.ask({ ask: 'critical' }))
        const filtered = { ask: 'cycles', edgeTypes: ['nothing'] } as const
        expect(await graph.ask(filtered)).toEqual(await here.ask(filtered))
        expect(await graph.ask(filtered)).toMatchObject({ total: 0, complete: true })
        await here.close()
      },
      { inlineMaxEdges: 0 },
    ))

  it('many moments at once are answered each as it was', () =>
    withGraph(async ({ graph, register }) => {
      for (let at = 1; at <= 12; at += 1)
        await register(`s${at}`, { dependencies: at === 1 ? [] : [`s${at - 1}`] })
      const moments = [1, 5, 9, 2, 12, 7, 3, 11, 4, 8, 6, 10, 1, 12]
      const answers = await Promise.all(
        moments.map((revision) => graph.askPast({ revision }, { ask: 'impact', of: 's1' })),
      )
      expect(answers.map(({ revision, total }) => [revision, total])).toEqual(
        moments.map((revision) => [revision, revision - 1]),
      )
    }))

  it('of the past says of when it was, also of what was not there, or was deleted last', () =>
    withGraph(async ({ graph, live, register, registry }) => {
      await register('a')
      await registry.deregister(await register('b'), context)
      const { revision, at } = live.view
      const { metadata, chunks } = await graph.exportPast({ revision }, { format: 'json', filter: {} })
      await Array.fromAsync(chunks)
      expect(metadata.lastUpdated).toBe(new Date(at).toISOString())
      expect(metadata).toEqual((await graph.export('json', {})).metadata)
      const question = { ask: 'impact', of: 'b' } as const
      expect((await graph.askPast({ revision: 2 }, question)).revision).toBe(2)
      await expect(graph.askPast({ revision: 1 }, question)).rejects.toMatchObject({
        code: 'COORD_NODE_NOT_FOUND',
        detail: 'The graph has no node "b" at revision 1.',
      })
      // What is forgotten cannot be told; the newest that is known can.
      await live.store.compact(revision)
      const later = await graph.exportPast({ revision }, { format: 'dot', filter: {} })
      await Array.fromAsync(later.chunks)
      expect(later.metadata.revision).toBe(revision)
    }))

  it('exports the present and the past alike, while the graph goes on', () =>
    withGraph(async ({ graph, live, register }) => {
      await register('a', {
        dependencies: ['b'],
        tags: ['x'],
        migrationFile: { apis: ['GET /a'], tables: ['t'] },
      })
      await register('b', { tags: ['x', 'y'] })
      const { revision } = live.view
      const now = await graph.export('json', {})
      const past = await graph.exportPast({ revision }, { format: 'json', filter: {} })
      await register('later', { dependencies: ['a'] })
      const texts = [
        (await Array.fromAsync(now.chunks)).join(''),
        (await Array.fromAsync(past.chunks)).join(''),
      ]
      expect(texts[1]).toBe(texts[0])
      const { metadata, nodes, edges } = JSON.parse(texts[0] as string).knowledgeGraph
      expect(metadata).toMatchObject({
        totalServices: 2,
        activeServices: 1,
        nodes: 4,
        edges: 3,
        revision,
        complete: true,
      })
      expect(nodes.find(({ id }: { id: string }) => id === 'api:a:GET:%2Fa')).toEqual({
        id: 'api:a:GET:%2Fa',
        label: 'a GET /a',
        type: 'api',
        namespace: 'default',
        data: { method: 'GET', path: '/a' },
      })
      expect(edges.map(({ id }: { id: string }) => id).sort()).toEqual([
        'service:a,depends_on,service:b,declared',
        'service:a,exposes,api:a:GET:%2Fa,declared',
        'service:a,owns,table:t,declared',
      ])
    }))

  it('sorts types by the graph that is asked, and not by what a coordinator remembers', () => {
    const store = new MemoryStore()
    return withGraph(
      async ({ graph, live, register }) => {
        await register('a', { dependencies: ['b'] })
        await graph.asserted.put({ kind: 'node', id: 'mentors:m' }, {}, context)
        const { id } = await graph.asserted.put({ kind: 'edge', id: 'team:t,mentors,service:a' }, {}, context)
        const then = live.view.revision
        await graph.asserted.delete({ kind: 'edge', id }, context)
        await withGraph(
          async (other) => {
            const nodesOf = async (one: KnowledgeGraph, moment?: Moment) => {
              const answer =
                moment === undefined
                  ? await one.export('json', { types: ['mentors'] })
                  : await one.exportPast(moment, { format: 'json', filter: { types: ['mentors'] } })
              const { metadata } = answer
              await Array.fromAsync(answer.chunks)
              return [metadata.nodes, metadata.edges]
            }
            // The last such edge has gone: now they are nodes.
            expect([await nodesOf(graph), await nodesOf(other.graph)]).toEqual([
              [1, 0],
              [1, 0],
            ])
            const moment = { revision: then }
            expect([await nodesOf(graph, moment), await nodesOf(other.graph, moment)]).toEqual([
              [4, 1],
              [4, 1],
            ])
            const question = { ask: 'neighbors', of: 'a', types: ['mentors'] } as const
            expect((await graph.ask(question)).edges).toEqual([])
            for (const one of [graph, other.graph])
              expect((await one.askPast(moment, question)).edges.map((edge) => edge.id)).toEqual([id])
          },
          { inner: store },
        )
      },
      { inner: store },
    )
  })

  it('many neighbours are of one revision, though others write while they are described', () =>
    withGraph(async ({ graph, live, register }) => {
      await register('hub')
      for (let at = 0; at < 1_200; at += 1) await register(`s${at}`, { dependencies: ['hub'] })
      const { revision } = live.view
      const asked = graph.ask({ ask: 'neighbors', of: 'hub', limit: 5_000 })
      await register('later', { dependencies: ['hub'] })
      expect(await asked).toMatchObject({ total: 1_200, revision, complete: true })
      expect((await asked).edges).toHaveLength(1_200)
      expect(await graph.ask({ ask: 'neighbors', of: 'hub', limit: 5_000 })).toMatchObject({
        total: 1_201,
        revision: revision + 1,
      })
    }))

  it.each([
    [{ nodeTypes: ['service'] }, ['service:a', 'service:b', 'service:c']],
    [{ name: 'b' }, ['service:b']],
    [{ name: 'a*' }, ['api:a:GET:%2Fa', 'service:a']],
    [{ tags: ['x'] }, ['service:a', 'service:b']],
    [{ tags: ['x', 'y'] }, ['service:b']],
    [{ around: 'b', depth: 1 }, ['service:a', 'service:b', 'service:c']],
    [{ around: 'b', direction: 'out' as const }, ['service:b', 'service:c']],
    [{ around: 'a', depth: 0 }, ['service:a']],
    [{ limit: 2 }, ['api:a:GET:%2Fa', 'service:a']],
    [{ origins: ['asserted'] }, ['api:a:GET:%2Fa', 'service:a', 'service:b', 'service:c', 'team:t']],
  ])('a filter %j chooses nodes, and the edges between them', (filter, ids) =>
    withGraph(async ({ graph, register }) => {
      await register('a', { dependencies: ['b'], tags: ['x'], migrationFile: { apis: ['GET /a'] } })
      await register('b', { dependencies: ['c'], tags: ['x', 'y'] })
      if ('origins' in filter)
        await graph.asserted.put({ kind: 'edge', id: 'team:t,owns,service:a' }, {}, context)
      const { chunks, metadata } = await graph.export('json', filter)
      const { nodes, edges } = JSON.parse((await Array.fromAsync(chunks)).join('')).knowledgeGraph
      expect(nodes.map(({ id }: { id: string }) => id).sort()).toEqual(ids)
      expect(metadata).toMatchObject({
        nodes: nodes.length,
        edges: edges.length,
        complete: !('limit' in filter),
      })
      for (const { source, target, origin } of edges) {
        expect(ids).toContain(source)
        expect(ids).toContain(target)
        if ('origins' in filter) expect(origin).toBe('asserted')
      }
    }),
  )
})
