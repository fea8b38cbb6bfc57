import { describe, expect, it } from 'vitest'
import { MemoryStore } from '../../src/database/memory/store.ts'
import type { Store } from '../../src/database/store.ts'
import { commitOf, newCall, put, tokenOf } from '../conformance/build.ts'
import { Caller } from '../conformance/caller.ts'
import { shortened } from '../support/shortened-store.ts'
import { asksOn, type LiveScope, servedIds, until, withLive } from '../support/with-live.ts'

const refusal = { code: 'COORD_STORE_REPLACED', outcome: 'not_written', retryable: false, status: 503 }

/** A database with records of another history under these coordinators. */
async function replace(scopes: readonly LiveScope[], ...ids: readonly string[]): Promise<MemoryStore> {
  const other = new MemoryStore()
  const caller = await Caller.at(other)
  for (const id of ids) await caller.write(put(id))
  for (const { store } of scopes) store.inner = other
  return other
}

const refused = async ({ live }: LiveScope) => {
  await until(() => live.figures.isReplaced)
  await until(() => live.status.code === 'COORD_STORE_REPLACED')
}

describe('a database that was emptied or replaced', () => {
  it.each([
    ['emptied', []],
    ['replaced', ['x', 'y', 'z']],
  ])('L29: that is %s is not followed: the coordinator serves what it had, and refuses writes', (_, ids) =>
    withLive(async (scope) => {
      const { live, store, contradictions, reasons } = scope
      for (const id of ['a', 'b']) await live.commit(commitOf(put(id)))
      const { position } = live.view
      const other = await replace([scope], ...ids)
      const before = await other.head()
      await refused(scope)
      expect(live.status).toMatchObject({ state: 'degraded', takesWrites: false })
      expect(live.status.reason).toContain(before.position.lineage)
      expect(live.status.repair).toContain(`coordinator accept-history ${position.lineage}\``)
      await expect(live.commit(commitOf(put('c')))).rejects.toMatchObject(refusal)
      await asksOn(scope)
      expect(live.view.position).toEqual(position)
      expect(servedIds(live.view).sort()).toEqual(['a', 'b'])
      // Nothing was told, forked or written.
      expect([contradictions, reasons.length]).toEqual([[], 1])
      expect(store.callsOf('fork').length + store.callsOf('adopt').length).toBe(0)
      expect(await other.head()).toEqual(before)
    }),
  )

  it('L29: is found out by a write, if nobody has asked yet, and the write is not stored', () =>
    withLive(
      async (scope) => {
        const { live } = scope
        await live.commit(commitOf(put('a')))
        const other = await replace([scope])
        await expect(live.commit(commitOf(put('b')))).rejects.toMatchObject(refusal)
        expect((await other.head()).position.revision).toBe(0)
        expect(live.figures.isReplaced).toBe(true)
      },
      { options: { pollMinMs: 60_000, pollMaxMs: 60_000 } },
    ))

  it('L29: gets no calls of a writer while it is refused', () =>
    withLive(async (scope) => {
      const { live, store } = scope
      await live.commit(commitOf(put('a')))
      store.next('commit', { does: 'fail', outcome: 'unknown' })
      await replace([scope])
      await expect(live.commit(commitOf(put('b')))).rejects.toMatchObject({ code: 'COORD_STORE_REPLACED' })
      const sent = store.callsOf('commit').length
      // The waits double up to a second, so that many more could take longer than a test waits.
      await asksOn(scope, 5)
      expect(store.callsOf('commit').length).toBeLessThanOrEqual(sent + 1)
    }))

  it('L29: that comes back is followed again, and takes writes', () =>
    withLive(async (scope) => {
      const { live, store, reasons } = scope
      await live.commit(commitOf(put('a')))
      const own = store.inner
      await replace([scope], 'x')
      await refused(scope)
      store.inner = own
      await until(() => live.status.state === 'ready')
      expect(await live.commit(commitOf(put('b')))).toMatchObject({ revision: 2 })
      expect(reasons).toHaveLength(1)
    }))

  it('L29: is followed by all who served the lineage that it adopts', () =>
    withLive(async (one) => {
      const two = await one.another()
      for (const id of ['a', 'b']) await one.live.commit(commitOf(put(id)))
      await two.live.waitForRevision(2)
      const { lineage } = one.live.view
      const other = await replace([one, two], 'x')
      await Promise.all([one, two].map(refused))
      const accepted = await other.adopt(lineage)
      for (const { live } of [one, two]) {
        await until(() => live.status.state === 'ready')
        expect(live.view.position).toEqual(accepted.position)
        expect(servedIds(live.view)).toEqual(['x'])
      }
      expect(await two.live.commit(commitOf(put('c')))).toMatchObject({ revision: 2 })
    }))

  it('L29: is not followed for the lineage of somebody else that it adopts', () =>
    withLive(async (scope) => {
      const { live } = scope
      await live.commit(commitOf(put('a')))
      const other = await replace([scope], 'x')
      await other.adopt((await new MemoryStore().head()).position.lineage)
      await refused(scope)
      await asksOn(scope)
      expect(servedIds(live.view)).toEqual(['a'])
    }))

  it('L29: is taken as it is by a coordinator that has served nothing yet', () =>
    withLive(
      async (scope) => {
        const { live, store } = scope
        // What is loaded first is replaced before it is served.
        store.next('load', {
          does: 'instead',
          run: async (inner) => {
            await replace([scope], 'x')
            return inner.load()
          },
        })
        await live.start()
        expect(servedIds(live.view)).toEqual(['x'])
      },
      { started: false },
    ))

  it('L29: does not lend its tokens, and gets none', () =>
    withLive(async (scope) => {
      const { live } = scope
      await live.commit(commitOf(put('a')))
      const told: string[] = []
      live.observe({ access: (version) => told.push(version) })
      const other = await replace([scope])
      await other.access.put(tokenOf('stranger'))
      await refused(scope)
      await asksOn(scope)
      expect(told).toEqual([])
      const code = { code: 'COORD_STORE_REPLACED' }
      await expect(live.store.access.load()).rejects.toMatchObject(code)
      await expect(live.store.access.put(tokenOf('ci'))).rejects.toMatchObject(code)
      await expect(live.store.access.revoke(tokenOf('stranger').id, 'admin')).rejects.toMatchObject(code)
      await expect(live.catchUp()).rejects.toMatchObject(code)
      const page = live.asOf({ revision: 0 }).next()
      await expect(page).rejects.toMatchObject(code)
      expect((await other.access.load()).tokens.map(({ name }) => name)).toEqual(['stranger'])
    }))

  it('L29: between the answer and the load is not served either', () =>
    withLive(async (scope) => {
      const { live, store } = scope
      await live.commit(commitOf(put('a')))
      const { lineage } = live.view
      store.next('load', {
        does: 'instead',
        run: async () => {
          const other = await replace([scope], 'x')
          return other.load()
        },
      })
      // A fork is followed, and so the view is loaded again.
      await store.inner.fork(live.view.position)
      await refused(scope)
      await asksOn(scope)
      expect([live.view.lineage, servedIds(live.view)]).toEqual([lineage, ['a']])
    }))
})

describe('a backup from before an earlier fork', () => {
  /** Coordinators that have followed a fork, and a backup from before it. */
  async function forked(scopes: readonly LiveScope[]): Promise<Store> {
    const [first] = scopes as [LiveScope]
    for (const id of ['a', 'b', 'c']) await first.live.commit(commitOf(put(id)))
    const backup = await shortened(first.store.inner, 1)
    const { position } = await first.store.inner.fork(first.live.view.position)
    for (const { live } of scopes) await until(() => live.view.lineage === position.lineage)
    await first.live.commit(commitOf(put('d')))
    return backup
  }

  it('L29: is followed by every coordinator into one new lineage, which descends from both', () =>
    withLive(async (one) => {
      const two = await one.another()
      const backup = await forked([one, two])
      const { lineage } = one.live.view
      const before = (await backup.head()).position.lineage
      for (const { store } of [one, two]) store.inner = backup
      for (const { live } of [one, two]) await until(() => ![lineage, before].includes(live.view.lineage))
      await Promise.all([one, two].map((scope) => asksOn(scope)))
      const head = await backup.head()
      expect(new Set(head.ancestors)).toEqual(new Set([lineage, before]))
      for (const { live } of [one, two]) {
        expect(live.view.position).toEqual(head.position)
        expect(servedIds(live.view)).toEqual(['a'])
        await until(() => live.status.state === 'ready')
      }
      await backup.commit(head.position, [commitOf(put('e'))], newCall())
    }))

  it('L29: from before several forks descends from all of them, for coordinators that have missed some', () =>
    withLive(async ({ live, store }) => {
      await live.commit(commitOf(put('a')))
      const backup = await shortened(store.inner, 1)
      const lineages = [live.view.lineage]
      for (const id of ['b', 'c']) {
        const { position } = await store.inner.fork(live.view.position)
        await until(() => live.view.lineage === position.lineage)
        await live.commit(commitOf(put(id)))
        lineages.push(position.lineage)
      }
      store.inner = backup
      await until(() => !lineages.includes(live.view.lineage))
      expect(new Set((await backup.head()).ancestors)).toEqual(new Set(lineages))
    }))
})
