import { describe, expect, it } from 'vitest'
import { MemoryStore } from '../../src/database/memory/store.ts'
import type { Head } from '../../src/database/store.ts'
import { CoordinatorError } from '../../src/errors.ts'
import type { StartSnapshot } from '../../src/live/state/start-snapshot.ts'
import type { StoredRecord } from '../../src/records/record.ts'
import { commitOf, put } from '../conformance/build.ts'
import { Caller } from '../conformance/caller.ts'
import { shortened } from '../support/shortened-store.ts'
import { type LiveScope, servedIds, until, withLive } from '../support/with-live.ts'

const away = { does: 'fail', code: 'COORD_STORE_UNAVAILABLE' } as const
const refusal = { does: 'fail', code: 'COORD_STORE_AUTH' } as const

interface Kept {
  readonly snapshot: StartSnapshot
  readonly told: string[]
}

/** A snapshot of what a store has. */
async function snapshotOf(store: MemoryStore, told: string[] = []): Promise<Kept> {
  const head = await store.open()
  const records: StoredRecord[] = []
  for await (const page of store.load()) records.push(...page.records)
  return { snapshot: made(head, told, () => [records]), told }
}

function made(head: Head, told: string[], pages: () => readonly (readonly StoredRecord[])[]): StartSnapshot {
  return {
    ...{ head, confirmedAt: Date.now() - 60_000 },
    async *pages() {
      yield* pages()
    },
    served: () => told.push('served'),
    refused: ({ code }) => told.push(`refused ${code}`),
  }
}

async function* inOrder(...snapshots: StartSnapshot[]): AsyncGenerator<StartSnapshot> {
  yield* snapshots
}

/** A store with one service. */
async function filled(): Promise<{ inner: MemoryStore; caller: Caller }> {
  const inner = new MemoryStore()
  const caller = new Caller(inner, (await inner.open()).position)
  await caller.write(put('a'))
  return { inner, caller }
}

/** Runs a test with a live layer that is not started, and may serve the given snapshots. */
const withSnapshots = (
  inner: MemoryStore,
  snapshots: readonly StartSnapshot[],
  body: (scope: LiveScope) => Promise<void>,
) => withLive(body, { inner, started: false, options: { findSnapshots: () => inOrder(...snapshots) } })

describe('a start without the store', () => {
  it('serves a snapshot, refuses what needs the store, and follows from there when the store is back', async () => {
    const { inner, caller } = await filled()
    const { snapshot, told } = await snapshotOf(inner)
    await caller.write(put('b'))
    await withSnapshots(inner, [snapshot], async ({ live, store, states }) => {
      store.always(away, 'open')
      await live.start()
      expect(told).toEqual(['served'])
      expect(servedIds(live.view)).toEqual(['a'])
      expect(live.status).toMatchObject({ state: 'degraded', takesWrites: false })
      expect(live.status.snapshotAt).toBe(snapshot.confirmedAt)
      expect(live.figures.ageMs).toBeGreaterThan(59_000)
      const refused = { code: 'COORD_STORE_UNAVAILABLE', outcome: 'not_written' }
      await expect(live.commit(commitOf(put('c')))).rejects.toMatchObject(refused)
      await expect(live.catchUp()).rejects.toMatchObject(refused)
      await expect(live.history('service', 'a')).rejects.toMatchObject(refused)
      await expect(live.asOf({ revision: 0 }).next()).rejects.toMatchObject(refused)
      expect(store.callsOf('commit')).toHaveLength(0)
      expect(store.callsOf('head')).toHaveLength(0)
      store.heal()
      await until(() => live.status.state === 'ready')
      expect(servedIds(live.view)).toEqual(['a', 'b'])
      expect(live.status.snapshotAt).toBeUndefined()
      expect(store.callsOf('load')).toHaveLength(0)
      expect(await live.commit(commitOf(put('c')))).toMatchObject({ revision: 3 })
      expect(states).not.toContain('loading')
    })
  })

  it('serves one when the store hangs, too', async () => {
    const { inner } = await filled()
    const { snapshot } = await snapshotOf(inner)
    await withSnapshots(inner, [snapshot], async ({ live, store }) => {
      store.always({ does: 'hang' }, 'open')
      await live.start()
      expect(live.status).toMatchObject({ state: 'degraded', code: 'COORD_STORE_TIMEOUT' })
      expect(live.status.snapshotAt).toBeDefined()
    })
  })

  it('serves one when the store opens and then gives no records, and does not let a load take its place', async () => {
    const { inner } = await filled()
    const { snapshot } = await snapshotOf(inner)
    await withSnapshots(inner, [snapshot], async ({ live, store }) => {
      store.always(away, 'load')
      await live.start()
      expect(live.status.snapshotAt).toBeDefined()
      const loads = store.callsOf('load').length
      store.heal()
      await until(() => live.status.state === 'ready')
      expect(store.callsOf('load')).toHaveLength(loads)
    })
  })

  it('waits for the store if it answers in time, and serves no snapshot', async () => {
    const { inner } = await filled()
    const { snapshot, told } = await snapshotOf(inner)
    const options = { findSnapshots: () => inOrder(snapshot), snapshotServeMs: 60_000 }
    await withLive(
      async ({ live, store }) => {
        store.next('open', away)
        await live.start()
        expect(live.status.state).toBe('ready')
        expect(told).toEqual([])
      },
      { inner, started: false, options },
    )
  })

  it('gives up a snapshot that is still being read when the store answers', async () => {
    const { inner } = await filled()
    const { snapshot, told } = await snapshotOf(inner)
    const reading = Promise.withResolvers<void>()
    const opened = Promise.withResolvers<void>()
    const slow: StartSnapshot = {
      ...snapshot,
      async *pages() {
        reading.resolve()
        await opened.promise
        yield* snapshot.pages()
      },
    }
    const options = { findSnapshots: () => inOrder(slow), snapshotServeMs: 60_000 }
    await withLive(
      async ({ live, store }) => {
        store.always({ does: 'hang' }, 'open')
        const started = live.start()
        await reading.promise
        store.heal()
        store.release()
        opened.resolve()
        await started
        expect(live.status.state).toBe('ready')
        expect(told).toEqual([])
      },
      { inner, started: false, options },
    )
  })

  it('serves the next one if the first cannot be read to its end', async () => {
    const { inner, caller } = await filled()
    const told: string[] = []
    const { snapshot: older } = await snapshotOf(inner, told)
    await caller.write(put('b'))
    const newest = made(await inner.head(), told, () => {
      throw new CoordinatorError('COORD_ARCHIVE_DAMAGED')
    })
    await withSnapshots(inner, [newest, older], async ({ live, store }) => {
      store.always(away, 'open')
      await live.start()
      expect(told).toEqual(['refused COORD_ARCHIVE_DAMAGED', 'served'])
      expect(servedIds(live.view)).toEqual(['a'])
    })
  })

  it('ends with a definite answer of the store before the snapshot is served, and degrades afterwards', async () => {
    const { inner } = await filled()
    const { snapshot, told } = await snapshotOf(inner)
    await withSnapshots(inner, [snapshot], async ({ live, store }) => {
      store.always(refusal, 'open')
      await expect(live.start()).rejects.toMatchObject({ code: 'COORD_STORE_AUTH' })
      expect(told).toEqual([])
    })
    await withSnapshots(inner, [snapshot], async ({ live, store }) => {
      store.always(away, 'open')
      await live.start()
      store.heal()
      store.always(refusal, 'open')
      await until(() => live.status.code === 'COORD_STORE_AUTH')
      expect(live.status.state).toBe('degraded')
      expect(servedIds(live.view)).toEqual(['a'])
    })
  })

  it('begins a new lineage if the store has lost commits that the snapshot has', async () => {
    const { inner, caller } = await filled()
    await caller.write(put('b'))
    const { snapshot } = await snapshotOf(inner)
    await withSnapshots(inner, [snapshot], async ({ live, store, contradictions }) => {
      store.always(away, 'open')
      await live.start()
      store.inner = await shortened(inner, 1)
      store.heal()
      await until(() => live.status.state === 'ready')
      expect(contradictions).toEqual(['ahead'])
      expect(servedIds(live.view)).toEqual(['a'])
      expect(live.view.lineage).not.toBe(snapshot.head.position.lineage)
    })
  })

  it('ends at once when it is stopped while it waits', async () => {
    const { inner } = await filled()
    const { snapshot, told } = await snapshotOf(inner)
    const options = { findSnapshots: () => inOrder(snapshot), snapshotServeMs: 60_000 }
    await withLive(
      async ({ live, store }) => {
        store.always(away, 'open')
        const started = live.start()
        await until(() => live.status.code !== undefined)
        await live.stop(100)
        await started
        expect(told).toEqual([])
      },
      { inner, started: false, options },
    )
  })
})
