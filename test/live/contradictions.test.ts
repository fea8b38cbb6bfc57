import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { MemoryStore } from '../../src/database/memory/store.ts'
import type { CommitCall, CommitReply } from '../../src/database/store.ts'
import { KnowledgeGraph } from '../../src/graph/knowledge-graph.ts'
import type { Live } from '../../src/live/live.ts'
import type { Plan } from '../../src/live/writing/change.ts'
import { RecordWriter } from '../../src/live/writing/record-writer.ts'
import { canonicalJson } from '../../src/records/canonical-json.ts'
import type { Commit, Position, StoredRecord } from '../../src/records/record.ts'
import { Registry } from '../../src/registry/registry.ts'
import { commitOf, idsOf, newCall, put } from '../conformance/build.ts'
import { Caller, loadAll } from '../conformance/caller.ts'
import { conditional, etagOf } from '../support/conditional.ts'
import { shortened } from '../support/shortened-store.ts'
import { wholeDomain } from '../support/whole-domain.ts'
import { asksOn, type LiveScope, servedIds, until, withLive } from '../support/with-live.ts'
import { writtenBy } from '../support/written-by.ts'

/** Lets the database under these coordinators lose all but its first entries. */
async function failOver(scopes: readonly LiveScope[], keep: number): Promise<MemoryStore> {
  const [first] = scopes as [LiveScope]
  const copy = await shortened(first.store.inner, keep)
  for (const { store } of scopes) store.inner = copy
  return copy
}

function changeOf<T>(
  live: Live,
  id: string,
  plan: Plan<T>,
  conditions: { ifMatch?: string } = {},
): Promise<T> {
  const request = { commitId: randomUUID(), actor: 'test' }
  const context = { actor: 'test', ...conditional(conditions) }
  return new RecordWriter(live).change({ kind: 'service', id }, { request, context }, plan)
}

describe('a database that lost its newest commits', () => {
  it('L16: gets a new lineage from the coordinator that sees it, which then serves what is left', () =>
    withLive(async (scope) => {
      const { live, reasons, contradictions, states } = scope
      for (const id of ['a', 'b', 'c']) await live.commit(commitOf(put(id)))
      const before = live.view.lineage
      const copy = await failOver([scope], 1)
      await until(() => live.view.lineage !== before)
      const { position } = await copy.head()
      expect(live.view.position).toEqual(position)
      expect(servedIds(live.view)).toEqual(['a'])
      expect(contradictions).toEqual(['ahead'])
      expect(reasons[1]).toContain('ahead at revision 3')
      await until(() => live.status.state === 'ready')
      expect(states).toContain('degraded')
      expect(await live.commit(commitOf(put('d')))).toMatchObject({ revision: 2 })
    }))

  it('L16: gets exactly one new lineage from two coordinators that see it together', () =>
    withLive(async (one) => {
      const two = await one.another()
      for (const id of ['a', 'b', 'c']) await one.live.commit(commitOf(put(id)))
      await two.live.waitForRevision(3)
      const before = one.live.view.lineage
      const copy = await failOver([one, two], 1)
      await until(() => [one, two].every(({ live }) => live.view.lineage !== before))
      const { position } = await copy.head()
      // Both go on asking, and find nothing that would call for another one.
      await Promise.all([one, two].map((scope) => asksOn(scope)))
      expect((await copy.head()).position).toEqual(position)
      for (const { live, contradictions } of [one, two]) {
        expect(live.view.position).toEqual(position)
        expect(contradictions).toHaveLength(1)
      }
    }))

  it('L16: gets exactly one new lineage from the writes and the questions of one coordinator', () =>
    withLive(async (scope) => {
      const { live, store, contradictions } = scope
      for (const id of ['a', 'b', 'c']) await live.commit(commitOf(put(id)))
      store.always({ does: 'delay', ms: 10 }, 'fork')
      const copy = await failOver([scope], 2)
      const outcomes = await Promise.all(idsOf('r', 8).map((id) => live.commit(commitOf(put(id)))))
      expect(outcomes).toMatchObject(outcomes.map((_, index) => ({ revision: index + 3 })))
      await asksOn(scope)
      expect(store.callsOf('fork')).toHaveLength(1)
      expect(contradictions).toHaveLength(1)
      expect(live.view.position).toEqual((await copy.head()).position)
    }))

  it('L16: is seen as diverged where others have written since', () =>
    withLive(async (scope) => {
      const { live, contradictions } = scope
      for (const id of ['a', 'b', 'c']) await live.commit(commitOf(put(id)))
      const before = live.view.lineage
      const copy = await shortened(scope.store.inner, 1)
      const caller = await Caller.at(copy)
      for (const id of ['x', 'y', 'z']) await caller.write(put(id))
      scope.store.inner = copy
      await until(() => live.view.lineage !== before)
      expect(contradictions).toEqual(['diverged'])
      expect(servedIds(live.view).sort()).toEqual(['a', 'x', 'y', 'z'])
    }))

  it('L16: is told once, though the fork and the load fail at first, and served stale meanwhile', () =>
    withLive(async (scope) => {
      const { live, store, contradictions } = scope
      for (const id of ['a', 'b', 'c']) await live.commit(commitOf(put(id)))
      const before = live.view.lineage
      store.next('fork', { does: 'fail' }, { does: 'lose reply' })
      store.always({ does: 'fail' }, 'load')
      await failOver([scope], 1)
      await until(() => store.callsOf('load').length > 2)
      expect(live.status.state).toBe('degraded')
      expect(live.view.revision).toBe(3)
      store.heal()
      await until(() => live.view.lineage !== before)
      expect(contradictions).toHaveLength(1)
      await until(() => live.status.state === 'ready')
    }))

  it('L16: gets a new lineage though somebody writes between the answer and the fork', () =>
    withLive(async (scope) => {
      const { live, store } = scope
      for (const id of ['a', 'b', 'c']) await live.commit(commitOf(put(id)))
      const before = live.view.lineage
      const copy = await shortened(store.inner, 1)
      const other = await Caller.at(copy)
      store.next('fork', {
        does: 'instead',
        run: async (inner, [from]) => {
          for (const id of ['x', 'y', 'z']) await other.write(put(id))
          return inner.fork(from as Position)
        },
      })
      store.inner = copy
      await until(() => live.view.get('service', 'z') !== undefined)
      expect(live.view.lineage).not.toBe(before)
      expect(live.view.position).toEqual((await copy.head()).position)
    }))

  it('L25: takes no change that was computed from what is lost, though another record has that revision now', () =>
    withLive(async (scope) => {
      const { live } = scope
      await live.commit(commitOf(put('a', { n: 1 })))
      await live.commit(commitOf(put('a', { n: 2 })))
      const copy = await shortened(scope.store.inner, 1)
      await (await Caller.at(copy)).write(put('a', { n: 10 }))
      scope.store.inner = copy
      const seen: number[] = []
      const plan: Plan<string> = (state) => {
        const { n } = JSON.parse((state.read() as StoredRecord).data) as { readonly n: number }
        seen.push(n)
        return { op: 'put', data: canonicalJson({ n: n + 1 }), answer: () => 'written' }
      }
      await changeOf(live, 'a', plan)
      expect(seen).toEqual([2, 10])
      expect(live.view.get('service', 'a')).toMatchObject({ data: '{"n":11}', revision: 3 })
    }))

  it('L25: tells a client whose condition is about what is lost that it does not hold', () =>
    withLive(async (scope) => {
      const { live } = scope
      await live.commit(commitOf(put('a')))
      await live.commit(commitOf(put('a', { v: 2 })))
      const copy = await shortened(scope.store.inner, 1)
      await (await Caller.at(copy)).write(put('a', { v: 3 }))
      scope.store.inner = copy
      const ifMatch = `"${live.view.lineage.slice(0, 8)}-2"`
      const plan: Plan<string> = () => ({
        op: 'put',
        data: canonicalJson({ v: 4 }),
        answer: () => 'written',
      })
      await expect(changeOf(live, 'a', plan, { ifMatch })).rejects.toMatchObject({
        code: 'COORD_PRECONDITION_FAILED',
        outcome: 'not_written',
      })
      expect(live.view.get('service', 'a')).toMatchObject({ data: '{"v":3}', revision: 2 })
    }))

  it('L25: takes no condition into another history that is found out about while the view catches up', () =>
    withLive(async (scope) => {
      const { live } = scope
      await live.commit(commitOf(put('a')))
      const { lineage, revision, digest } = live.view.position
      const copy = await shortened(scope.store.inner, 1)
      await copy.fork({ lineage, revision, digest })
      await (await Caller.at(copy)).write(put('a', { v: 2 }))
      scope.store.inner = copy
      const ifMatch = `"${lineage.slice(0, 8)}-2"`
      const plan: Plan<string> = () => ({
        op: 'put',
        data: canonicalJson({ v: 3 }),
        answer: () => 'written',
      })
      const written = changeOf(live, 'a', plan, { ifMatch })
      await expect(written).rejects.toMatchObject({
        code: 'COORD_PRECONDITION_FAILED',
        outcome: 'not_written',
      })
      expect(live.view.get('service', 'a')).toMatchObject({ data: '{"v":2}', revision: 2 })
    }))

  it('L16: answers with ETags of the history in which a change was stored', () =>
    withLive(
      async (scope) => {
        const { live } = scope
        const registry = new Registry(live)
        const { asserted } = new KnowledgeGraph(live)
        const context = writtenBy('test')
        const cart = { serviceName: 'cart', version: '1', endpoint: 'http://cart' }
        await asserted.put({ kind: 'node', id: 'team:a' }, {}, context)
        await asserted.put({ kind: 'node', id: 'team:b' }, {}, context)
        const before = live.view.lineage
        await failOver([scope], 1)
        const answers = await Promise.all([
          registry.register(cart, context),
          asserted.put({ kind: 'node', id: 'team:c' }, {}, context),
        ])
        expect(live.view.lineage).not.toBe(before)
        for (const answer of answers)
          expect(etagOf(answer)).toBe(`"${live.view.lineage.slice(0, 8)}-${answer.revision}"`)
      },
      { domain: wholeDomain },
    ))

  it('L16: does not take back what it acknowledged in the new lineage', () =>
    withLive(async (scope) => {
      const { live } = scope
      for (const id of ['a', 'b', 'c']) await live.commit(commitOf(put(id)))
      const copy = await failOver([scope], 1)
      const commit = commitOf(put('d'))
      const outcome = await live.commit(commit)
      expect(outcome).toMatchObject({ outcome: 'accepted', revision: 2 })
      expect((await loadAll(copy)).records.map(({ id }) => id)).toEqual(['a', 'd'])
      expect(live.view.get('service', 'd')?.revision).toBe(2)
    }))
})

describe('a database that another coordinator has forked', () => {
  it('L16: is followed without another fork', () =>
    withLive(async ({ live, store }) => {
      await live.commit(commitOf(put('a')))
      const { position } = await store.inner.fork(live.view.position)
      await until(() => live.view.lineage === position.lineage)
      expect(store.callsOf('fork')).toEqual([])
      expect(live.view.get('service', 'a')?.revision).toBe(1)
    }))
})

describe('late answers', () => {
  it('L17: of a database that has failed over change nothing, and what they acknowledged is stored anew', () =>
    withLive(
      async (scope) => {
        const { live, store } = scope
        for (const id of ['a', 'b']) await live.commit(commitOf(put(id)))
        const old = store.inner
        let late: (() => void) | undefined
        // The old primary takes the commit as revision 3; its answer arrives when the new one is being served.
        store.next('commit', {
          does: 'instead',
          run: async (_, [after, batch, call]): Promise<CommitReply> => {
            const reply = await old.commit(after as Position, batch as readonly Commit[], call as CommitCall)
            await new Promise<void>((resolve) => {
              late = resolve
            })
            return reply
          },
        })
        const outcome = live.commit(commitOf(put('c')))
        await until(() => late !== undefined)
        const copy = await failOver([scope], 2)
        await (await Caller.at(copy)).write(put('x'))
        await until(() => live.view.get('service', 'x') !== undefined)
        late?.()
        expect(await outcome).toMatchObject({ outcome: 'accepted', revision: 4, replayed: false })
        expect(servedIds(live.view).sort()).toEqual(['a', 'b', 'c', 'x'])
        expect((await loadAll(copy)).records.map(({ id }) => id)).toEqual(['a', 'b', 'c', 'x'])
      },
      { options: { commitTimeoutMs: 5_000 } },
    ))

  it('L17: whose entries the database has lost before they could be asked for acknowledge nothing', () =>
    withLive(
      async (scope) => {
        const { live, store } = scope
        for (const id of ['a', 'b']) await live.commit(commitOf(put(id)))
        store.next('commit', {
          does: 'instead',
          run: async (inner, [after, batch, call]) => {
            const reply = await inner.commit(
              after as Position,
              batch as readonly Commit[],
              call as CommitCall,
            )
            await failOver([scope], 1)
            return { ...reply, entries: [], more: true }
          },
        })
        const outcome = await live.commit(commitOf(put('c')))
        expect(outcome).toMatchObject({ outcome: 'accepted', revision: 2, replayed: false })
        expect((await loadAll(store.inner)).records.map(({ id }) => id)).toEqual(['a', 'c'])
        expect(live.view.get('service', 'c')?.revision).toBe(2)
      },
      { options: { commitTimeoutMs: 5_000 } },
    ))

  it('L17: to a question for changes are not mixed into another lineage', () =>
    withLive(async (scope) => {
      const { live, store } = scope
      await live.commit(commitOf(put('a')))
      const before = live.view.position
      const old = store.inner
      await new Caller(old, before).write(put('ghost'))
      let late: (() => void) | undefined
      store.next('changes', {
        does: 'instead',
        run: async () => {
          await new Promise<void>((resolve) => {
            late = resolve
          })
          return old.changes(before, 10)
        },
      })
      await until(() => late !== undefined)
      await failOver([scope], 1)
      const { position } = await store.inner.fork(before)
      await live.commit(commitOf(put('b')))
      expect(live.view.lineage).toBe(position.lineage)
      late?.()
      await asksOn(scope)
      expect(servedIds(live.view).sort()).toEqual(['a', 'b'])
      await until(() => live.status.state === 'ready')
    }))

  it('L17: to a question for changes are not put on top of another lineage at the same revision', () =>
    withLive(async (scope) => {
      const { live, store } = scope
      await live.commit(commitOf(put('a')))
      const before = live.view.position
      const old = store.inner
      await new Caller(old, before).write(put('ghost'))
      const late = holdNext(scope, 'changes', () => old.changes(before, 10))
      await late.asked
      await failOver([scope], 1)
      const { position } = await store.inner.fork(before)
      // An empty batch cannot be asked for: a conflict finds out that the lineage has changed, and writes nothing.
      await live.commit(commitOf(put('a', {}, { expect: 9 })))
      expect(live.view.position).toEqual(position)
      late.release()
      await asksOn(scope)
      expect(servedIds(live.view)).toEqual(['a'])
      expect(live.view.position).toEqual(position)
    }))

  it('L17: that the view is off track do not build it anew when it is on track again', () =>
    withLive(async (scope) => {
      const { live, store, reasons, contradictions } = scope
      await live.commit(commitOf(put('a')))
      const before = live.view.position
      await store.inner.fork(before)
      const late = holdNext(scope, 'commit', () => store.inner.commit(before, [], newCall()))
      const outcome = live.commit(commitOf(put('b')))
      await late.asked
      await until(() => live.view.lineage !== before.lineage)
      late.release()
      expect(await outcome).toMatchObject({ outcome: 'accepted', revision: 2 })
      expect(reasons).toHaveLength(2)
      expect(contradictions).toHaveLength(1)
      expect(store.callsOf('load')).toHaveLength(2)
    }))
})

/** Lets the next call of a method get its answer at once, and hands it on only when it is released. */
function holdNext({ store }: LiveScope, method: 'commit' | 'changes', answer: () => Promise<unknown>) {
  const asked = Promise.withResolvers<void>()
  const released = Promise.withResolvers<void>()
  store.next(method, {
    does: 'instead',
    run: async () => {
      const value = await answer()
      asked.resolve()
      await released.promise
      return value
    },
  })
  return { asked: asked.promise, release: () => released.resolve() }
}
