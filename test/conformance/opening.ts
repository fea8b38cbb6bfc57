import { describe, expect, it } from 'vitest'
import type { Store } from '../../src/database/store.ts'
import { CoordinatorError } from '../../src/errors.ts'
import type { Position } from '../../src/records/record.ts'
import type { ConformanceBackend } from './backend.ts'
import { commitOf, newCall, put, remove } from './build.ts'
import { accepted, Caller, loadAll } from './caller.ts'
import { scoped } from './scope.ts'

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

const calls: Readonly<Record<string, (store: Store, position: Position) => Promise<unknown>>> = {
  open: (store) => store.open(),
  head: (store) => store.head(),
  load: (store) => Array.fromAsync(store.load()),
  commit: (store, position) => store.commit(position, [commitOf(put('late'))], newCall()),
  changes: (store, position) => store.changes(position, 10),
  history: (store) => store.history('service', 'a'),
  asOf: (store, { revision }) => Array.fromAsync(store.asOf({ revision })),
  compact: (store, { revision }) => store.compact(revision),
  fork: (store, position) => store.fork(position),
  adopt: (store, { lineage }) => store.adopt(lineage),
  setMode: (store) => store.setMode('open', 'frozen'),
  seed: (store, position) => store.seed({ position, at: 0, ancestors: [] }, []),
  replay: (store, position) => store.replay(position, []),
}

/** Opening, restarting, closing, and what a store says about itself. */
export function opening(backend: ConformanceBackend): void {
  describe(`${backend.name}: opening`, () => {
    it(
      'starts empty, at revision 0 of a lineage that is its own first digest',
      scoped(backend, async ({ store }) => {
        const head = await store.head()
        expect(head.position.lineage).toMatch(uuid)
        expect(head.position).toEqual({
          lineage: head.position.lineage,
          revision: 0,
          digest: head.position.lineage,
        })
        expect(head.floor).toBe(0)
        expect(head.at).toSatisfy(Number.isSafeInteger)
        const { records, tombstones } = await loadAll(store)
        expect([records, tombstones]).toEqual([[], []])
      }),
    )

    it('answers open with the head', async () => {
      const subject = await backend.create({ pageSize: 10, firstRevision: 0 })
      try {
        const head = await subject.store.open()
        expect(await subject.store.head()).toEqual(head)
      } finally {
        await subject.dispose()
      }
    })

    it(
      'names its backend, whether it is durable, and the parts it has',
      scoped(backend, async ({ store }) => {
        expect(store.backend).toBe(backend.backend)
        expect(store.durable).toBe(backend.durable)
        const parts = (['migrator', 'inspector', 'pool'] as const).filter((part) => store[part] !== undefined)
        expect(parts.sort()).toEqual([...backend.parts].sort())
      }),
    )

    it(
      'gives every new store a lineage of its own',
      scoped(backend, async ({ store }) => {
        const other = await backend.create({ pageSize: 10, firstRevision: 0 })
        try {
          const { position } = await other.store.open()
          expect(position.lineage).not.toBe((await store.head()).position.lineage)
        } finally {
          await other.dispose()
        }
      }),
    )

    it(
      'its parts find an open store in order',
      scoped(backend, async ({ store }) => {
        const report = await store.migrator?.status()
        expect(report?.current).toBe(report?.target)
        expect((await store.migrator?.verify()) ?? []).toEqual([])
        const inspection = await store.inspector?.inspect()
        expect(inspection?.schemaVersion).toBe(report?.current)
        const figures = store.pool?.()
        for (const role of figures ? [figures.writer, figures.reader] : [])
          expect(role.max).toBeGreaterThanOrEqual(role.idle + role.used)
      }),
    )

    it(
      'finds everything again after a restart, or says beforehand that it will not',
      scoped(backend, async (scope) => {
        const { store, caller } = scope
        await caller.send(commitOf(put('a'), put('b')), commitOf(put('a', { v: 2 })), commitOf(remove('b')))
        const before = { head: await store.head(), all: await loadAll(store) }
        const head = await scope.reopen()
        if (backend.durable) {
          expect(head).toEqual(before.head)
          expect(await loadAll(scope.store)).toEqual(before.all)
        } else {
          expect(store.durable).toBe(false)
          expect(head.position.lineage).not.toBe(before.head.position.lineage)
          expect(await loadAll(scope.store)).toMatchObject({ records: [], tombstones: [] })
        }
      }),
    )

    it(
      'goes on counting where it was before the restart',
      scoped(backend, async (scope) => {
        await scope.caller.send(commitOf(put('a')), commitOf(put('b')))
        await scope.reopen()
        const { revision } = accepted(await scope.caller.write(put('c')))
        expect(revision).toBe(backend.durable ? 3 : 1)
      }),
    )

    it(
      `meets a second store on the same data: ${backend.secondStore}`,
      scoped(backend, async ({ subject, store, caller }) => {
        await caller.write(put('a'))
        const second = await subject.beside()
        if (backend.secondStore === 'refused') {
          await expect(second.open()).rejects.toMatchObject({ code: 'COORD_STORE_LOCKED' })
          expect((await store.head()).position.revision).toBe(1)
          return
        }
        const head = await second.open()
        const shared = backend.secondStore === 'shared'
        expect(head.position.revision).toBe(shared ? 1 : 0)
        await new Caller(second, head.position).write(put('b'))
        expect((await store.head()).position.revision).toBe(shared ? 2 : 1)
      }),
    )

    it.each(Object.entries(calls))('throws a CoordinatorError from %s after close', (name, call) =>
      scoped(backend, async ({ store, caller }) => {
        await caller.write(put('a'))
        await store.close()
        const thrown = await call(store, caller.position).then(
          () => undefined,
          (error: unknown) => error,
        )
        expect(thrown).toBeInstanceOf(CoordinatorError)
        if (name === 'commit') expect(thrown).toMatchObject({ outcome: 'not_written' })
      })(),
    )

    it(
      'may be closed twice, and before it was opened',
      scoped(backend, async ({ subject, store }) => {
        await store.close()
        await store.close()
        await (await subject.beside()).close()
      }),
    )
  })
}
