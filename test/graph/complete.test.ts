import { describe, expect, it } from 'vitest'
import { writtenBy } from '../support/written-by.ts'
import { put, withGraph } from './support/with-graph.ts'

/** Registers services that need each other in a circle: `a0` needs `a1`, and so on. */
const ring = (prefix: string, size: number) =>
  Array.from({ length: size }, (_, at) => ({
    serviceName: `${prefix}${at}`,
    dependencies: [`${prefix}${(at + 1) % size}`],
  }))

describe('an answer says complete exactly where nothing is missing', () => {
  it('cycles: not where one has more nodes than are listed, nor where there are more cycles', () =>
    withGraph(async ({ graph, register }) => {
      for (const { serviceName, ...fields } of ring('a', 3)) await register(serviceName, fields)
      const whole = await graph.ask({ ask: 'cycles', limit: 3 })
      expect(whole).toMatchObject({ total: 1, complete: true })
      expect(whole.truncated).toBeUndefined()
      expect(whole.cycles[0]).toMatchObject({ size: 3, nodes: ['service:a0', 'service:a1', 'service:a2'] })
      const cut = await graph.ask({ ask: 'cycles', limit: 2 })
      expect(cut).toMatchObject({ total: 1, complete: false, truncated: 'limit' })
      expect(cut.cycles[0]).toMatchObject({ size: 3, nodes: ['service:a0', 'service:a1'] })
      expect(cut.cycles[0]?.example).toHaveLength(3)
      await register('self', { dependencies: ['self'] })
      expect(await graph.ask({ ask: 'cycles', limit: 3 })).toMatchObject({ total: 2, complete: true })
      for (const { serviceName, ...fields } of ring('b', 2)) await register(serviceName, fields)
      const some = await graph.ask({ ask: 'cycles', limit: 2 })
      expect(some).toMatchObject({ total: 3, complete: false, truncated: 'limit' })
      expect(some.cycles.map(({ size }) => size)).toEqual([3, 2])
    }))

  it('neighbors, unresolved, orphans, critical and a part of the graph: at the limit yes, beyond it no', () =>
    withGraph(async ({ graph, register }) => {
      await register('hub', { dependencies: ['x', 'y', 'z'] })
      for (const name of ['lone1', 'lone2', 'lone3']) await register(name)
      for (const question of [
        { ask: 'neighbors', of: 'service:hub' },
        { ask: 'dependencies', of: 'service:hub' },
        { ask: 'unresolved' },
        { ask: 'orphans' },
      ] as const) {
        const at = await graph.ask({ ...question, limit: 3 })
        expect([question.ask, at.total, at.complete, at.truncated]).toEqual([
          question.ask,
          3,
          true,
          undefined,
        ])
        const below = await graph.ask({ ...question, limit: 2 })
        expect([question.ask, below.total, below.complete, below.truncated]).toEqual([
          question.ask,
          3,
          false,
          'limit',
        ])
      }
      expect(await graph.ask({ ask: 'critical', limit: 1 })).toMatchObject({ complete: true })
      await register('other', { dependencies: ['p', 'q'] })
      expect(await graph.ask({ ask: 'critical', limit: 1 })).toMatchObject({
        articulationPointsTotal: 2,
        complete: false,
        truncated: 'limit',
      })
    }))

  it('an export, of a part by types or around a node: at the limit yes, beyond it no', () =>
    withGraph(async ({ graph, register }) => {
      await register('hub', { dependencies: ['x', 'y', 'z'] })
      for (const filter of [{}, { nodeTypes: ['service'] }, { around: 'hub' }, { around: 'hub', depth: 1 }]) {
        const of = async (limit: number) => {
          const { metadata, chunks } = await graph.export('json', { ...filter, limit })
          const { nodes, edges } = JSON.parse((await Array.fromAsync(chunks)).join('')).knowledgeGraph
          expect([nodes.length, edges.length]).toEqual([metadata.nodes, metadata.edges])
          return [metadata.nodes, metadata.edges, metadata.complete, metadata.truncated]
        }
        expect(await of(5)).toEqual([4, 3, true, undefined])
        expect(await of(4)).toEqual([4, 3, true, undefined])
        expect(await of(3)).toEqual([3, 2, false, 'limit'])
      }
      const names = async (name: string) => {
        const { chunks } = await graph.export('json', { name })
        const { nodes } = JSON.parse((await Array.fromAsync(chunks)).join('')).knowledgeGraph
        return nodes.map(({ id }: { id: string }) => id)
      }
      // By its label, by its id, by how its label begins; never by how its id does.
      expect(await names('hub')).toEqual(['service:hub'])
      expect(await names('service:hub')).toEqual(['service:hub'])
      expect(await names('hu*')).toEqual(['service:hub'])
      expect(await names('service:*')).toEqual([])
      expect(await names('*')).toHaveLength(4)
    }))

  it('paths: at the limit yes, beyond it no', () =>
    withGraph(async ({ graph, register }) => {
      await register('from', { dependencies: ['m1', 'm2', 'm3'] })
      for (const name of ['m1', 'm2', 'm3']) await register(name, { dependencies: ['to'] })
      const ask = (limit: number) =>
        graph.ask({ ask: 'paths', from: 'service:from', to: 'service:to', limit })
      expect(await ask(3)).toMatchObject({ complete: true })
      expect((await ask(3)).paths).toHaveLength(3)
      expect(await ask(2)).toMatchObject({ complete: false, truncated: 'limit' })
      expect((await ask(2)).paths).toHaveLength(2)
    }))

  it('of the past as of the present', () =>
    withGraph(async ({ graph, live, register }) => {
      await register('hub', { dependencies: ['x', 'y', 'z'] })
      const moment = { revision: live.view.revision }
      expect(await graph.askPast(moment, { ask: 'unresolved', limit: 3 })).toMatchObject({ complete: true })
      expect(await graph.askPast(moment, { ask: 'unresolved', limit: 2 })).toMatchObject({
        total: 3,
        complete: false,
      })
    }))

  it('differences: at the limit yes, beyond it no, nodes and edges each', () =>
    withGraph(async ({ graph, live, register }) => {
      await register('a')
      const from = { revision: live.view.revision }
      await register('a', { dependencies: ['b', 'c'] })
      const diff = (limit: number) => graph.diff({ from, to: { revision: live.view.revision }, limit })
      expect(await diff(2)).toMatchObject({ nodesTotal: 2, edgesTotal: 2, complete: true })
      const cut = await diff(1)
      expect(cut).toMatchObject({ nodesTotal: 2, edgesTotal: 2, complete: false, truncated: 'limit' })
      expect([cut.nodes.length, cut.edges.length]).toEqual([1, 1])
    }))

  it('differences: not where only edges are too many', () =>
    withGraph(async ({ graph, live, register }) => {
      for (const name of ['a', 'b', 'c']) await register(name)
      const from = { revision: live.view.revision }
      await register('a', { dependencies: ['b', 'c'] })
      const answer = await graph.diff({ from, to: { revision: live.view.revision }, limit: 1 })
      expect(answer).toMatchObject({ nodesTotal: 0, edgesTotal: 2, complete: false, truncated: 'limit' })
    }))
})

describe('a simulation says complete exactly where nothing is missing', () => {
  const endpoint = 'http://host:80'
  /** Services that need as many names that nobody states. */
  const needing = (count: number) =>
    Array.from({ length: Math.ceil(count / 250) }, (_, at) => ({
      serviceName: `s${at}`,
      version: '1.0.0',
      endpoint,
      dependencies: Array.from({ length: Math.min(250, count - at * 250) }, (_, n) => `unknown-${at}-${n}`),
    }))

  it('about a thousand changes it is asked, and about one more it is not', () =>
    withGraph(async ({ graph, register }) => {
      await register('a')
      const change = { serviceName: 'a', version: '2.0.0' }
      const changes = (count: number) =>
        graph.simulate({ changeVersion: Array.from({ length: count }, () => change) })
      expect(await changes(1_000)).toMatchObject({ safe: true, complete: true })
      await expect(changes(1_001)).rejects.toMatchObject({
        code: 'COORD_FIELD_TOO_LARGE',
        detail: '/changeVersion has 1001 items; the limit is 1000.',
      })
    }))

  it('with a thousand unknown dependencies yes, with one more no', () =>
    withGraph(async ({ graph }) => {
      const at = await graph.simulate({ register: needing(1_000) })
      expect([at.unknownDependencies.length, at.complete, at.safe]).toEqual([1_000, true, false])
      const beyond = await graph.simulate({ register: needing(1_001) })
      expect([beyond.unknownDependencies.length, beyond.complete, beyond.truncated]).toEqual([
        1_000,
        false,
        'limit',
      ])
    }))

  it('with more than a thousand that lose what they need: the first thousand, and how many in all', () =>
    withGraph(async ({ graph, registry, register }) => {
      await register('db')
      const consumers = Array.from({ length: 1_001 }, (_, at) => ({
        serviceName: `c${String(at).padStart(4, '0')}`,
        version: '1.0.0',
        endpoint,
        dependencies: ['db'],
      }))
      await registry.registerBatch(consumers.slice(0, 1_000), writtenBy('test'))
      const at = await graph.simulate({ remove: ['db'] })
      expect([at.brokenConsumers.length, at.affected, at.complete]).toEqual([1_000, 1_000, true])
      await registry.registerBatch(consumers.slice(1_000), writtenBy('test'))
      const beyond = await graph.simulate({ remove: ['db'] })
      expect([beyond.brokenConsumers.length, beyond.affected, beyond.complete, beyond.truncated]).toEqual([
        1_000,
        1_001,
        false,
        'limit',
      ])
      expect(beyond.brokenConsumers[0]?.id).toBe('service:c0000')
    }))

  it('with more than a thousand lost providers, or violated ranges', () =>
    withGraph(async ({ graph, register }) => {
      const capabilities = (from: number) => Array.from({ length: 64 }, (_, at) => `c${from + at}`)
      const file = { capabilities: Array.from({ length: 1_000 }, (_, at) => `m${at}`) }
      await register('p', { capabilities: capabilities(0), migrationFile: file })
      const lost = await graph.simulate({ remove: ['p'] })
      // Nobody needs them, so nobody is worse off; but not all are named.
      expect([lost.lostProviders.length, lost.safe, lost.complete, lost.truncated]).toEqual([
        1_000,
        true,
        false,
        'limit',
      ])
      await register('lib')
      for (let at = 0; at < 5; at += 1)
        await register(`u${at}`, {
          dependencies: Array.from({ length: 201 }, (_, n) => ({
            serviceName: 'lib',
            version: `^1.0.0 || ^1.0.${n}`,
          })),
        })
      const violated = await graph.simulate({ changeVersion: [{ serviceName: 'lib', version: '2.0.0' }] })
      expect([violated.violatedRanges.length, violated.complete]).toEqual([1_000, false])
    }))
})

describe('differences between two moments name the commits that made them', () => {
  it('of what went and came back only the last one: the others did nothing that is left', () =>
    withGraph(async ({ graph, live, registry, register }) => {
      const b = await register('b', { tags: ['one'] })
      const from = live.view.revision
      await registry.deregister(b, writtenBy('test'))
      await register('b', { tags: ['two'] })
      const { nodes } = await graph.diff({ from: { revision: from }, to: { revision: from + 2 }, limit: 10 })
      expect(nodes.map(({ change, id, revisions }) => [change, id, revisions])).toEqual([
        ['changed', 'service:b', [from + 2]],
      ])
      await register('b', { tags: ['three'] })
      const later = await graph.diff({ from: { revision: from }, to: { revision: from + 3 }, limit: 10 })
      expect(later.nodes[0]?.revisions).toEqual([from + 2, from + 3])
      expect(later.commits.map(({ revision }) => revision)).toEqual([from + 2, from + 3])
    }))

  it('of what many commits changed the last twenty, oldest first', () =>
    withGraph(async ({ graph, live, commit }) => {
      await commit(put('node', 'team:t', { id: 'team:t', label: 'begin' }))
      const from = live.view.revision
      for (let at = 1; at <= 21; at += 1)
        await commit(put('node', 'team:t', { id: 'team:t', label: `l${at}` }))
      const between = { from: { revision: from }, to: { revision: live.view.revision }, limit: 10 }
      expect((await graph.diff(between)).nodes[0]?.revisions).toEqual(
        Array.from({ length: 20 }, (_, at) => from + 2 + at),
      )
    }))
})
