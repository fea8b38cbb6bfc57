import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DetachedGraph } from '../../src/graph/derive/detached-graph.ts'
import type { GraphProjection } from '../../src/graph/derive/graph-projection.ts'
import type { graphFormats } from '../../src/graph/export/export-graph.ts'
import { answerQuestion } from '../../src/graph/questions/answer-question.ts'
import { type GraphFilter, selectGraph } from '../../src/graph/questions/select-graph.ts'
import { parseNodeId } from '../../src/records/graph/graph-id.ts'
import type { StoredRecord } from '../../src/records/record.ts'
import { atOnce } from '../../src/scheduling/pace.ts'
import { writtenBy } from '../support/written-by.ts'
import { stepsFrom, stronglyConnected } from './support/brute-force.ts'
import { type PlainGraph, plainGraph } from './support/plain-graph.ts'
import { operations, recordOf } from './support/random-records.ts'
import { withGraph } from './support/with-graph.ts'

const context = writtenBy('test')
const namespaces = ['default', 'shop', 'blog', 'nobody']

const isIn = (namespace: string) => (id: string) => parseNodeId(id)?.namespace === namespace

function onRandomGraphs(check: (graph: GraphProjection, plain: PlainGraph) => void): void {
  fc.assert(
    fc.property(operations(25), (history) => {
      const detached = new DetachedGraph()
      const records = new Map<string, StoredRecord>()
      history.forEach(({ of }, at) => {
        const record = recordOf(of, at + 1)
        records.set(`${record.kind} ${record.id}`, record)
        detached.put(record)
      })
      check(detached.graph, plainGraph(records.values()))
    }),
    { numRuns: 150 },
  )
}

function partOf(graph: GraphProjection, filter: GraphFilter) {
  const { metadata, nodes, edges } = atOnce(selectGraph(graph.copy(), filter, { revision: 1, at: 0 }))
  return {
    metadata,
    nodes: [...nodes].flatMap((node) => node?.id ?? []),
    edges: [...edges].flatMap((edge) => edge?.id ?? []),
  }
}

/** Nodes of a namespace, and the far ends of their edges. */
function shownOf(plain: PlainGraph, namespace: string): (id: string) => boolean {
  const isOwn = isIn(namespace)
  const far = new Set(
    [...plain.edges.values()].flatMap(({ from, to }) => [
      ...(isOwn(from) ? [to] : []),
      ...(isOwn(to) ? [from] : []),
    ]),
  )
  return (id) => isOwn(id) || far.has(id)
}

describe('a namespace as a filter, on random graphs', () => {
  it('of the graph: its nodes, the far ends of their edges, and these edges', () => {
    onRandomGraphs((graph, plain) => {
      for (const namespace of namespaces) {
        const [isOwn, isShown] = [isIn(namespace), shownOf(plain, namespace)]
        const part = partOf(graph, { namespace })
        const nodes = [...plain.nodes.keys()].filter(isShown)
        const edges = [...plain.edges].filter(([, { from, to }]) => isOwn(from) || isOwn(to))
        expect(part.nodes).toEqual(nodes.sort())
        expect(part.edges.toSorted()).toEqual(edges.map(([id]) => id).sort())
        expect(part.metadata).toMatchObject({ nodes: nodes.length, edges: edges.length, complete: true })
      }
    })
  })

  it('of the graph beside other filters, which all nodes and edges must fulfil', () => {
    onRandomGraphs((graph, plain) => {
      for (const namespace of namespaces) {
        const isOwn = isIn(namespace)
        const isService = (id: string) => id.startsWith('service:')
        const edges = [...plain.edges].filter(
          ([, { from, to, type }]) =>
            type === 'depends_on' && isService(from) && isService(to) && (isOwn(from) || isOwn(to)),
        )
        const ends = edges.flatMap(([, { from, to }]) => [from, to])
        const nodes = new Set([
          ...[...plain.nodes.keys()].filter((id) => isOwn(id) && isService(id)),
          ...ends,
        ])
        const part = partOf(graph, { namespace, nodeTypes: ['service'], edgeTypes: ['depends_on'] })
        expect(part.nodes).toEqual([...nodes].sort())
        expect(part.edges.toSorted()).toEqual(edges.map(([id]) => id).sort())
      }
    })
  })

  it('of the graph with a limit: its own nodes first', () => {
    onRandomGraphs((graph, plain) => {
      const own = [...plain.nodes.keys()].filter(isIn('shop')).sort()
      const far = [...plain.nodes.keys()]
        .filter((id) => shownOf(plain, 'shop')(id) && !isIn('shop')(id))
        .sort()
      const part = partOf(graph, { namespace: 'shop', limit: 3 })
      expect(part.nodes).toEqual([...own, ...far].slice(0, 3).sort())
      expect(part.metadata.complete).toBe(own.length + far.length <= 3)
    })
  })

  it('of lists of nodes', () => {
    onRandomGraphs((graph, plain) => {
      const linked = new Set([...plain.edges.values()].flatMap(({ from, to }) => [from, to]))
      const ids = [...plain.nodes.keys()].sort()
      const direct = stepsFrom(plain, 'neededBy')
      for (const namespace of namespaces) {
        const isShown = shownOf(plain, namespace)
        const orphans = answerQuestion(graph, { ask: 'orphans', namespace })
        expect(orphans.nodes.map(({ id }) => id)).toEqual(
          ids.filter((id) => isIn(namespace)(id) && !linked.has(id)),
        )
        const unresolved = answerQuestion(graph, { ask: 'unresolved', namespace })
        expect(unresolved.nodes.map(({ id }) => id)).toEqual(
          ids.filter((id) => isShown(id) && plain.nodes.get(id)?.resolved === false),
        )
        const critical = answerQuestion(graph, { ask: 'critical', namespace, limit: 100 })
        const everywhere = answerQuestion(graph, { ask: 'critical', limit: 100 })
        expect(critical.articulationPoints).toEqual(
          everywhere.articulationPoints.filter(({ id }) => isShown(id)),
        )
        expect(critical.mostDependedOn).toEqual(everywhere.mostDependedOn.filter(({ id }) => isShown(id)))
        for (const { id, direct: count } of critical.mostDependedOn)
          expect(count).toBe([...(direct.get(id) ?? [])].filter((other) => other !== id).length)
      }
    })
  })

  it('of cycles: those in which one of its nodes takes part', () => {
    onRandomGraphs((graph, plain) => {
      for (const namespace of namespaces) {
        const expected = stronglyConnected(plain).filter((group) => group.some(isIn(namespace)))
        const answer = answerQuestion(graph, { ask: 'cycles', namespace })
        expect(answer.cycles.map(({ nodes }) => nodes)).toEqual(expected)
        expect(answer.total).toBe(expected.length)
      }
    })
  })
})

describe('a namespace in a question', () => {
  it('says where plain names are looked for; ids say their own', () =>
    withGraph(async ({ graph, live, register }) => {
      await register('cart', { namespace: 'shop', dependencies: ['db'] })
      await register('db', { namespace: 'shop' })
      await register('cart', { dependencies: [] })
      const namespace = 'shop'
      for (const ask of ['impact', 'dependencies', 'neighbors'] as const) {
        expect((await graph.ask({ ask, of: 'cart', namespace })).of).toBe('service:@shop:cart')
        expect((await graph.ask({ ask, of: 'cart' })).of).toBe('service:cart')
        expect((await graph.ask({ ask, of: 'service:cart', namespace })).of).toBe('service:cart')
        expect((await graph.ask({ ask, of: 'service:@shop:cart' })).of).toBe('service:@shop:cart')
      }
      expect((await graph.ask({ ask: 'neighbors', of: 'cart', namespace, limit: 5_000 })).of).toBe(
        'service:@shop:cart',
      )
      expect(await graph.ask({ ask: 'paths', from: 'cart', to: 'db', namespace })).toMatchObject({
        paths: [{ nodes: ['service:@shop:cart', 'service:@shop:db'] }],
      })
      expect(await graph.ask({ ask: 'node', id: 'db', namespace })).toMatchObject({
        node: {
          id: 'service:@shop:db',
          label: 'db',
          type: 'service',
          namespace,
          data: { serviceName: 'db' },
        },
      })
      const moment = { revision: live.view.revision }
      expect(await graph.askPast(moment, { ask: 'impact', of: 'db', namespace })).toMatchObject({
        of: 'service:@shop:db',
        nodes: [{ id: 'service:@shop:cart', namespace }],
      })
      expect((await graph.askPast(moment, { ask: 'orphans', namespace })).total).toBe(0)
      expect((await graph.askPast(moment, { ask: 'orphans', namespace: 'default' })).total).toBe(1)
    }))

  it('without which a name is not found leads to an error that names a namespace that has it', () =>
    withGraph(async ({ graph, register }) => {
      await register('cart', { namespace: 'shop' })
      await expect(graph.ask({ ask: 'impact', of: 'cart' })).rejects.toMatchObject({
        code: 'COORD_NODE_NOT_FOUND',
        detail: 'The graph has no node "cart". The namespace "shop" has a service of that name.',
      })
      await expect(graph.ask({ ask: 'impact', of: 'cart', namespace: 'blog' })).rejects.toMatchObject({
        detail:
          'The graph has no node "cart" in the namespace "blog". The namespace "shop" has a service of that name.',
      })
    }))

  it('with around says where that name is looked for, and does not end the surroundings', () =>
    withGraph(async ({ graph, live, register }) => {
      await register('cart', {
        namespace: 'shop',
        dependencies: [{ serviceName: 'flagd', namespace: 'default' }],
      })
      await register('flagd', { dependencies: ['far'] })
      const filter = { around: 'cart', namespace: 'shop', depth: 2 }
      const texts = [
        await graph.export('json', filter),
        await graph.exportPast({ revision: 2 }, { format: 'json', filter }),
      ]
      for (const { chunks } of texts) {
        const { knowledgeGraph } = JSON.parse((await Array.fromAsync(chunks)).join(''))
        expect(knowledgeGraph.nodes.map(({ id }: { id: string }) => id)).toEqual([
          'service:@shop:cart',
          'service:far',
          'service:flagd',
        ])
      }
      expect(live.view.revision).toBe(2)
    }))

  it('restricts the differences between two moments', () =>
    withGraph(async ({ graph, live, register, commit }) => {
      await register('flagd')
      await register('web', { dependencies: ['flagd', 'gone'] })
      await register('cart', {
        namespace: 'shop',
        dependencies: [{ serviceName: 'flagd', namespace: 'default' }],
      })
      const old = await register('old', {
        namespace: 'shop',
        dependencies: [{ serviceName: 'x', namespace: 'blog' }],
      })
      const from = { revision: live.view.revision }
      await register('flagd', { version: '2.0.0' })
      await register('gone')
      await register('new', { namespace: 'shop', dependencies: ['cart'] })
      await commit({ op: 'delete', kind: 'service', id: old })
      const diff = async (namespace?: string) => {
        const { nodes, edges } = await graph.diff({
          from,
          to: { revision: live.view.revision },
          limit: 100,
          namespace,
        })
        return [...nodes, ...edges].map(({ change, id }) => `${change} ${id}`)
      }
      const [cart, old1] = [
        'service:@shop:new,depends_on,service:@shop:cart',
        'service:@shop:old,depends_on,service:@blog:x',
      ]
      // The far end flagd differs, too.
      expect(await diff('shop')).toEqual([
        'removed service:@blog:x',
        'added service:@shop:new',
        'removed service:@shop:old',
        'changed service:flagd',
        `added ${cart},declared`,
        `removed ${old1},declared`,
      ])
      expect(await diff('default')).toEqual(['changed service:flagd', 'changed service:gone'])
      expect(await diff('blog')).toEqual([
        'removed service:@blog:x',
        'removed service:@shop:old',
        `removed ${old1},declared`,
      ])
      expect(await diff()).toHaveLength(7)
    }))

  it('stands in every format of the graph', () =>
    withGraph(async ({ graph, register }) => {
      await register('cart', { namespace: 'shop', capabilities: ['pay'] })
      await register('cart', { dependencies: [{ serviceName: 'cart', namespace: 'shop' }] })
      const text = async (format: keyof typeof graphFormats) =>
        (await Array.fromAsync((await graph.export(format, {})).chunks)).join('')
      for (const format of ['json', 'ndjson', 'cytoscape'] as const) {
        expect(await text(format)).toContain(
          '"id":"service:@shop:cart","label":"cart","type":"service","namespace":"shop"',
        )
        expect(await text(format)).toContain(
          '"id":"service:cart","label":"cart","type":"service","namespace":"default"',
        )
      }
      expect(await text('graphml')).toContain(
        '<node id="service:@shop:cart"><data key="label">cart</data><data key="type">service</data><data key="namespace">shop</data>',
      )
      expect(await text('dot')).toContain('"service:@shop:cart" [label="shop/cart", class="service"')
      expect(await text('dot')).toContain('"service:cart" [label="cart", class="service"')
      expect(await text('mermaid')).toContain('["shop/cart"]')
    }))
})

describe('a simulation with namespaces', () => {
  it('changes only the services of the namespace that is named', () =>
    withGraph(async ({ graph, register }) => {
      const needs = { dependencies: [{ serviceName: 'db', version: '^1' }] }
      const one = await register('db', { instanceId: '1' })
      await register('db', { namespace: 'shop', instanceId: '1' })
      await register('web', needs)
      await register('web', { namespace: 'shop', ...needs })
      await register('far', { namespace: 'blog', dependencies: [{ serviceName: 'db', namespace: 'shop' }] })
      const losers = async (remove: unknown) =>
        (await graph.simulate({ remove: [remove] })).brokenConsumers.map(({ id, loses }) => [id, loses])
      expect(await losers('db')).toEqual([['service:web', 'service:db']])
      expect(await losers({ serviceName: 'db' })).toEqual([['service:web', 'service:db']])
      expect(await losers(one)).toEqual([['service:web', 'service:db']])
      expect(await losers({ serviceName: 'db', namespace: 'shop' })).toEqual([
        ['service:@blog:far', 'service:@shop:db'],
        ['service:@shop:web', 'service:@shop:db'],
      ])
      const change = { serviceName: 'db', namespace: 'shop', version: '2.0.0' }
      expect(await graph.simulate({ changeVersion: [change] })).toMatchObject({
        violatedRanges: [
          { consumer: 'service:@shop:web', dependency: 'service:@shop:db', versions: ['2.0.0'] },
        ],
      })
      const newcomer = { serviceName: 'web', version: '1', endpoint: 'http://x', namespace: 'blog' }
      expect(await graph.simulate({ register: [{ ...newcomer, dependencies: ['db'] }] })).toMatchObject({
        safe: false,
        unknownDependencies: [{ consumer: 'service:@blog:web', dependency: 'service:@blog:db' }],
      })
      expect(
        await graph.simulate({
          register: [
            { ...newcomer, dependencies: [{ serviceName: 'db', namespace: 'shop', version: '^1' }] },
          ],
        }),
      ).toMatchObject({ safe: true })
    }))

  it('does not take a service of another namespace for the one that is named', () =>
    withGraph(async ({ graph, register }) => {
      await register('db', { namespace: 'shop' })
      const there = ' The namespace "shop" has a service of that name.'
      for (const [body, detail] of [
        [{ remove: ['db'] }, `No service is registered as "db".${there}`],
        [{ remove: [{ serviceName: 'db' }] }, `No service is registered as "db".${there}`],
        [
          { remove: [{ serviceName: 'db', namespace: 'blog' }] },
          `No service is registered as "db" in the namespace "blog".${there}`,
        ],
        [
          { changeVersion: [{ serviceName: 'db', version: '2' }] },
          `No service is registered as "db".${there}`,
        ],
      ] as const)
        await expect(graph.simulate(body)).rejects.toMatchObject({ code: 'COORD_SERVICE_NOT_FOUND', detail })
      for (const body of [
        { remove: [{ serviceName: 'db', namespace: 'Shop' }] },
        { remove: [{ serviceName: 'db', nameSpace: 'shop' }] },
        { changeVersion: [{ serviceName: 'db', version: '2', namespace: '' }] },
      ])
        await expect(graph.simulate(body)).rejects.toMatchObject({ code: 'COORD_FIELD_INVALID' })
    }))
})

describe('what is asserted', () => {
  it('is in the namespace that its id says', () =>
    withGraph(async ({ graph, register }) => {
      await register('cart', { namespace: 'shop' })
      await graph.asserted.put({ kind: 'edge', id: 'team:@shop:web,owns,service:@shop:cart' }, {}, context)
      await graph.asserted.put({ kind: 'node', id: 'team:@shop:web' }, { label: 'Web' }, context)
      expect(await graph.ask({ ask: 'impact', of: 'team:@shop:web' })).toMatchObject({
        nodes: [{ id: 'service:@shop:cart' }],
      })
      expect(await graph.ask({ ask: 'dependencies', of: 'team:@shop:web' })).toMatchObject({ total: 0 })
      expect(await graph.ask({ ask: 'neighbors', of: 'cart', namespace: 'shop' })).toMatchObject({
        nodes: [{ id: 'team:@shop:web', label: 'Web', type: 'team', namespace: 'shop' }],
      })
      const { warnings } = await graph.asserted.put(
        { kind: 'edge', id: 'team:a,uses,service:cart' },
        {},
        context,
      )
      expect(warnings.map(({ message }) => message)).toEqual([
        expect.stringContaining('"team:a"'),
        'Nobody has registered or asserted "service:cart": check the id, or assert the node. The namespace "shop" has a service of that name.',
      ])
      for (const id of ['service:@default:cart', 'service:@default:a b'])
        await expect(graph.asserted.put({ kind: 'node', id }, {}, context)).rejects.toMatchObject({
          code: 'COORD_NODE_ID_INVALID',
        })
      expect(await graph.rebuild()).toMatchObject({ differencesTotal: 0 })
    }))
})
