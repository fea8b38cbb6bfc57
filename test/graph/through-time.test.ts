import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import type { Store } from '../../src/database/store.ts'
import { Describer } from '../../src/graph/derive/describe.ts'
import { DetachedGraph } from '../../src/graph/derive/detached-graph.ts'
import type { KnowledgeGraph } from '../../src/graph/knowledge-graph.ts'
import { DiffTracker } from '../../src/graph/past/diff-tracker.ts'
import { GraphProcess } from '../../src/graph/past/graph-process.ts'
import type { Live } from '../../src/live/live.ts'
import type { Entry, StoredRecord, Write } from '../../src/records/record.ts'
import { backends } from '../support/backends/index.ts'
import { writtenBy } from '../support/written-by.ts'
import { plainGraph, shapeOf, shapeOfPlain } from './support/plain-graph.ts'
import { type Operation, operations, recordOf } from './support/random-records.ts'
import { projectionOf, put, recordsOf, withGraph } from './support/with-graph.ts'

/** What an operation asks a store to write. */
function writeOf({ remove, of }: Operation): Write {
  const { kind, id, data } = recordOf(of, 1)
  if (remove) return { op: 'delete', kind, id }
  if (kind !== 'service') return { op: 'put', kind, id, data }
  // What the registry's check lets through.
  return { op: 'put', kind, id, data }
}

describe.each(backends.map((backend) => [backend.name, backend] as const))('%s', (_, backend) => {
  // Some hundred commits, one after the other: a Data API takes its time where the machine has others to serve.
  it('after a random history the live graph, the one of another start and those of the past are derived ones', {
    timeout: 60_000,
  }, async () => {
    const [history] = fc.sample(operations(60), { numRuns: 1, seed: 4_711 }) as Operation[][]
    const longer = [
      ...(history ?? []),
      ...(fc.sample(operations(60), { numRuns: 3, seed: 42 }).flat() as Operation[]),
    ]
    const subject = await backend.create({ pageSize: 7, firstRevision: 0 })
    try {
      const stood: { revision: number; shape: unknown }[] = []
      await withGraph(
        async ({ live, graph, commit }) => {
          for (const operation of longer) {
            await commit(writeOf(operation))
            const shape = shapeOf(projectionOf(live))
            expect(shape).toEqual(shapeOfPlain(plainGraph(recordsOf(live))))
            if (live.view.revision % 9 === 0) stood.push({ revision: live.view.revision, shape })
          }
          expect((await graph.rebuild()).differences).toEqual([])
          for (const { revision, shape } of stood) {
            const records: StoredRecord[] = []
            for await (const page of live.asOf({ revision })) records.push(...page.records)
            expect(shapeOf(graphOf(records))).toEqual(shape)
          }
          if (backend.secondStore === 'shared')
            await sameAnswersElsewhere(live, graph, await subject.beside())
          const { revision } = live.view
          const [of = ''] = servicesIn(live)
          const now = await graph.ask({ ask: 'neighbors', of })
          expect(await graph.askPast({ revision }, { ask: 'neighbors', of })).toEqual(now)
        },
        { inner: subject.store },
      )
      if (!backend.durable) return
      await withGraph(
        async ({ live, graph }) => {
          expect(shapeOf(projectionOf(live))).toEqual(shapeOfPlain(plainGraph(recordsOf(live))))
          expect((await graph.rebuild()).differences).toEqual([])
        },
        { inner: await subject.reopen() },
      )
    } finally {
      await subject.dispose()
    }
  })
})

/** Ids of the nodes of services, in any namespace. */
function servicesIn(live: Live): readonly string[] {
  return [...plainGraph(recordsOf(live)).nodes.keys()].filter((id) => id.startsWith('service:')).sort()
}

/** Another coordinator on the same data says exactly the same at the same revision. */
async function sameAnswersElsewhere(live: Live, graph: KnowledgeGraph, store: Store): Promise<void> {
  await withGraph(
    async (other) => {
      expect(other.live.view.revision).toBe(live.view.revision)
      const texts = [graph, other.graph].map(async (one) =>
        (await Array.fromAsync((await one.export('json', {})).chunks)).join(''),
      )
      expect(await texts[1]).toEqual(await texts[0])
      const [of = '', to = ''] = servicesIn(live)
      for (const question of [
        { ask: 'cycles' },
        { ask: 'critical' },
        { ask: 'unresolved' },
        { ask: 'unresolved', namespace: 'shop' },
        { ask: 'impact', of },
        { ask: 'paths', from: of, to, limit: 100 },
      ] as const)
        expect(await other.graph.ask(question)).toEqual(await graph.ask(question))
    },
    { inner: store },
  )
}

describe('rebuilding', () => {
  it('goes on once at a time: who asks meanwhile gets the next one, all the same', () =>
    withGraph(async ({ graph, register }) => {
      await register('a', { dependencies: ['b'] })
      const [first, second, third] = await Promise.all([graph.rebuild(), graph.rebuild(), graph.rebuild()])
      expect(second).not.toBe(first)
      expect(third).toBe(second)
      await register('b')
      expect(await graph.rebuild()).toMatchObject({ revision: 2, differencesTotal: 0 })
    }))

  it('finds what a damaged graph has too much, too little and otherwise', () =>
    withGraph(async ({ graph, live, register }) => {
      await register('a', { dependencies: ['b'] })
      await register('b')
      expect(await graph.rebuild()).toMatchObject({ nodes: 2, edges: 1, differencesTotal: 0 })
      const live1 = projectionOf(live)
      const record = live1.servicesOf(live1.find('service:a'))[0] as StoredRecord
      const slot = live.view.records.find('service', record.id)
      live1.put(slot, record, { serviceName: 'a', dependencies: ['c'] })
      const { differences } = await graph.rebuild()
      expect(differences.map(({ what, id, problem }) => `${problem} ${what} ${id}`).sort()).toEqual([
        'different node service:b',
        'extra edge service:a,depends_on,service:c,declared',
        'extra node service:c',
        'missing edge service:a,depends_on,service:b,declared',
      ])
    }))
})

describe('differences between two moments', () => {
  it('are told with the commits that made them', () =>
    withGraph(async ({ graph, live, register, registry }) => {
      await register('a', { dependencies: ['b', 'c'] })
      const gone = await register('c')
      const from = live.view.revision
      await register('b')
      await register('a', { dependencies: ['b', { serviceName: 'd', version: '^1' }] })
      await registry.deregister(gone, writtenBy('ops'))
      await register('passing')
      await registry.deregister(
        (
          await registry.register(
            { serviceName: 'passing', version: '1.0.0', endpoint: 'http://host:80' },
            writtenBy('x'),
          )
        ).serviceId,
        writtenBy('x'),
      )
      const to = live.view.revision
      await register('later')
      const answer = await graph.diff({ from: { revision: from }, to: { revision: to }, limit: 100 })
      expect(answer).toMatchObject({ from, to, complete: true })
      expect(answer.nodes.map(({ change, id, revisions }) => [change, id, revisions])).toEqual([
        // The commit after that only needs it.
        ['changed', 'service:b', [from + 1]],
        ['removed', 'service:c', [from + 3]],
        ['added', 'service:d', [from + 2]],
      ])
      expect(answer.edges.map(({ change, id, revisions }) => [change, id, revisions])).toEqual([
        ['removed', 'service:a,depends_on,service:c,declared', [from + 2]],
        ['added', 'service:a,depends_on,service:d,declared', [from + 2]],
      ])
      expect(answer.edges[1]?.after?.data).toEqual({ declaredBy: 1, versions: ['^1'] })
      expect(answer.commits.map(({ revision, actor }) => [revision, actor])).toEqual([
        [from + 1, 'test'],
        [from + 2, 'test'],
        [from + 3, 'ops'],
      ])
      expect(await graph.diff({ from: { revision: to }, to: { revision: to }, limit: 100 })).toMatchObject({
        nodes: [],
        edges: [],
        commits: [],
      })
      expect(await graph.diff({ from: { revision: from }, to: { revision: to }, limit: 1 })).toMatchObject({
        nodesTotal: 3,
        complete: false,
        truncated: 'limit',
      })
    }))

  it('are found where the helper process is killed meanwhile: the next one is asked', () =>
    withGraph(
      async ({ graph, live, register }) => {
        await register('a', { dependencies: ['b'] })
        await register('b')
        const [from, to] = [{ revision: 1 }, { revision: live.view.revision }]
        const { run: real } = GraphProcess.prototype
        for (const [kill, ask, found] of [
          ['put', () => graph.askPast(from, { ask: 'orphans' }), { revision: 1 }],
          ['ask', () => graph.askPast(from, { ask: 'orphans' }), { revision: 1 }],
          [
            'export',
            () => graph.exportPast(to, { format: 'json', filter: {} }),
            { metadata: { revision: 2 } },
          ],
          ['replay', () => graph.diff({ from, to, limit: 10 }), { nodesTotal: 1 }],
          ['components', () => graph.ask({ ask: 'cycles' }), { revision: 2 }],
        ] as const) {
          let killed = 0
          const spy = vi.spyOn(GraphProcess.prototype, 'run')
          spy.mockImplementation(async function (this: GraphProcess, task, argument) {
            if (task !== kill || killed > 0) return real.call(this, task, argument)
            killed += 1
            // There is one after its first task.
            await this.run('forget', { key: 0 })
            process.kill(this.pid as number, 'SIGKILL')
            return real.call(this, task, argument)
          })
          expect(await ask()).toMatchObject(found)
          expect(killed).toBe(1)
          spy.mockRestore()
        }
      },
      { inlineMaxEdges: 0 },
    ))

  it('are found two at a time, however many ask', () =>
    withGraph(async ({ graph, live, register }) => {
      for (let at = 0; at < 8; at += 1) await register(`s${at}`)
      const { run: real } = GraphProcess.prototype
      const held = new Set<number>()
      let most = 0
      vi.spyOn(GraphProcess.prototype, 'run').mockImplementation(function (
        this: GraphProcess,
        task,
        argument,
      ) {
        if (task === 'put') held.add(argument.key)
        most = Math.max(most, held.size)
        return real.call(this, task, argument).finally(() => task === 'forget' && held.delete(argument.key))
      })
      const answers = await Promise.all(
        Array.from({ length: 7 }, (_, at) =>
          graph.diff({ from: { revision: at }, to: { revision: at + 1 }, limit: 10 }),
        ),
      )
      expect(answers.map(({ nodes }) => nodes.map(({ id }) => id))).toEqual(
        Array.from({ length: 7 }, (_, at) => [`service:s${at}`]),
      )
      expect([most, held.size]).toEqual([2, 0])
      // The same moment is built for all who wait for it once their turn comes.
      const { revision } = live.view
      await Promise.all(Array.from({ length: 9 }, () => graph.askPast({ revision }, { ask: 'orphans' })))
      expect(held.size).toBe(1)
      // So is the same time, asked again and again.
      const at = { at: live.view.at }
      for (let times = 0; times < 3; times += 1)
        expect((await graph.askPast(at, { ask: 'orphans' })).revision).toBe(revision)
      expect(held.size).toBe(1)
    }))

  it('leave out what was changed by hand into something that is not served, like every answer about the past', () =>
    withGraph(async ({ graph, live, commit, register }) => {
      await register('a', { dependencies: ['b'] })
      const from = live.view.revision
      await commit(put('edge', 'e', {}), put('node', 'n', { label: 'no id' }))
      await commit(
        put('edge', 'e', { source: 'nothing', type: 'x', target: 'service:a', origin: 'asserted' }),
      )
      await commit(put('service', 's', { serviceName: 5, dependencies: ['c'] }))
      await commit(put('node', 'team:t', { id: 'team:t' }))
      const revision = live.view.revision
      await commit(put('node', 'team:t', { id: 5 }))
      expect(live.view.refusedCount).toBe(4)
      for (const question of [{ ask: 'orphans' }, { ask: 'unresolved' }] as const)
        expect(await graph.askPast({ revision: live.view.revision }, question)).toEqual(
          await graph.ask(question),
        )
      const until = async (to: number) =>
        (await graph.diff({ from: { revision: from }, to: { revision: to }, limit: 10 })).nodes
      expect(await until(revision)).toMatchObject([{ change: 'added', id: 'team:t', revisions: [revision] }])
      expect(await until(live.view.revision)).toEqual([])
    }))

  it('are exactly those between the graphs derived at both ends', () => {
    fc.assert(
      fc.property(operations(20), operations(20), (before, after) => {
        const records = new Map<string, StoredRecord>()
        before.forEach(({ of }, at) => {
          const record = recordOf(of, at + 1)
          records.set(`${of.kind} ${record.id}`, record)
        })
        const start = new Map(records)
        const past = new DetachedGraph()
        for (const record of start.values()) past.put(record)
        const tracker = new DiffTracker(past)
        after.forEach((operation, at) => {
          const revision = 100 + at
          const { kind, id, data } = recordOf(operation.of, revision)
          const writes: Entry['writes'] = [
            operation.remove ? { op: 'delete', kind, id } : { op: 'put', kind, id, data },
          ]
          tracker.play({ revision, commitId: `c${revision}`, at: revision, actor: 'x', writes, digest: '' })
          if (operation.remove) records.delete(`${kind} ${id}`)
          else records.set(`${kind} ${id}`, recordOf(operation.of, revision))
        })
        const [then, now] = [factsOf(start), factsOf(records)]
        const answer = tracker.answer({ limit: 10_000 })
        const told = [...answer.nodes, ...answer.edges].map(({ change, id }) => `${change} ${id}`).sort()
        const expected = [...new Set([...then.keys(), ...now.keys()])]
          .filter((id) => then.get(id) !== now.get(id))
          .map((id) => `${then.has(id) ? (now.has(id) ? 'changed' : 'removed') : 'added'} ${id}`)
        expect(told).toEqual(expected.sort())
        for (const { revisions } of [...answer.nodes, ...answer.edges])
          expect(revisions.length).toBeGreaterThan(0)
      }),
      { numRuns: 200 },
    )
  })
})

function graphOf(records: Iterable<StoredRecord>) {
  const detached = new DetachedGraph()
  for (const record of records) detached.put(record)
  return detached.graph
}

/** Every node and edge as it is shown, without revisions. */
function factsOf(records: ReadonlyMap<string, StoredRecord>): ReadonlyMap<string, string> {
  const graph = graphOf(records.values())
  const describer = new Describer(graph)
  const facts = new Map<string, string>()
  const note = (shown: { readonly id: string }) =>
    facts.set(
      shown.id,
      JSON.stringify(shown, (key, value) => (key === 'revision' ? undefined : value)),
    )
  for (let node = 0; node < graph.nodeBound; node += 1)
    if (graph.idOf(node) !== '') note(describer.node(node))
  for (let edge = 0; edge < graph.edges.bound; edge += 1)
    if (graph.edges.refs[edge] !== 0) note(describer.edge(edge))
  return facts
}
