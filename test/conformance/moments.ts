import { describe, expect, it } from 'vitest'
import type { ConformanceBackend } from './backend.ts'
import { commitOf, farFuture, idsOf, put, remove } from './build.ts'
import { byKey, loadAll, recordsAsOf } from './caller.ts'
import { type Scope, scoped } from './scope.ts'

/** A short life: `a` changes, goes and comes back; `b` stays; `n` is of another kind. One second per revision. */
async function live({ subject, caller }: Scope): Promise<void> {
  const script = [
    commitOf(put('a')),
    commitOf(put('b')),
    commitOf(put('a', { v: 2 })),
    commitOf(put('n', {}, { kind: 'node' }), remove('a')),
    commitOf(put('a', { v: 3 })),
    commitOf(remove('b')),
  ]
  for (const [index, commit] of script.entries()) {
    await subject.setClock(second(index + 1))
    await caller.send(commit)
  }
}

/** What a reader of the past sees after each revision of `live`: id, data, revision, createdAt and updatedAt in seconds. */
const states = [
  [],
  [['a', '{"v":1}', 1, 1, 1]],
  [
    ['a', '{"v":1}', 1, 1, 1],
    ['b', '{"v":1}', 2, 2, 2],
  ],
  [
    ['a', '{"v":2}', 3, 1, 3],
    ['b', '{"v":1}', 2, 2, 2],
  ],
  [
    ['n', '{}', 4, 4, 4],
    ['b', '{"v":1}', 2, 2, 2],
  ],
  [
    ['n', '{}', 4, 4, 4],
    ['a', '{"v":3}', 5, 5, 5],
    ['b', '{"v":1}', 2, 2, 2],
  ],
  [
    ['n', '{}', 4, 4, 4],
    ['a', '{"v":3}', 5, 5, 5],
  ],
].map((records) =>
  records.map(([id, data, revision, created, updated]) => ({
    kind: id === 'n' ? 'node' : 'service',
    id,
    data,
    revision,
    createdAt: second(created as number),
    updatedAt: second(updated as number),
  })),
)

function second(count: number): number {
  return farFuture + count * 1_000
}

/** `asOf`: records as they stood. */
export function moments(backend: ConformanceBackend): void {
  describe(`${backend.name}: as of`, () => {
    it.each(states.map((records, revision) => ({ records, revision })))(
      'shows the records of revision $revision as they stood',
      ({ records, revision }) =>
        scoped(backend, async (scope) => {
          const { lineage } = scope.caller.position
          await live(scope)
          const then = await recordsAsOf(scope.store, { revision })
          expect(then.records).toEqual(records)
          const digest = revision === 0 ? lineage : scope.caller.entries[revision - 1]?.digest
          expect(then.position).toEqual({ lineage, revision, digest })
        })(),
    )

    it.each([
      ['exactly at an entry', 3_000, 3],
      ['one millisecond before the next entry', 3_999, 3],
      ['before the first entry', 999, 0],
      ['long before the first entry', -1_000_000, 0],
      ['at the newest entry', 6_000, 6],
      ['after the newest entry', 999_000, 6],
    ])('finds the newest revision at a time: %s', (_, offset, revision) =>
      scoped(backend, async (scope) => {
        await live(scope)
        const then = await recordsAsOf(scope.store, { at: farFuture + offset })
        expect(then.position.revision).toBe(revision)
        expect(then.records).toEqual(states[revision])
      })(),
    )

    it(
      'takes the last of several entries of the same millisecond',
      scoped(backend, async ({ store, subject, caller }) => {
        await subject.setClock(farFuture)
        await caller.send(commitOf(put('a')), commitOf(put('b')), commitOf(put('c')))
        await subject.setClock(farFuture + 1)
        await caller.write(put('d'))
        const then = await recordsAsOf(store, { at: farFuture })
        expect(then.position.revision).toBe(3)
        expect(then.records.map(({ id }) => id)).toEqual(['a', 'b', 'c'])
      }),
    )

    it.each([
      ['a kind', { kind: 'service' }, ['a', 'b']],
      ['another kind', { kind: 'node' }, ['n']],
      ['a kind and an id', { kind: 'service', id: 'b' }, ['b']],
      ['an id of another kind', { kind: 'node', id: 'b' }, []],
      ['a kind that is not there', { kind: 'none' }, []],
      ['a kind in other letters', { kind: 'Service' }, []],
      ['nothing', {}, ['n', 'a', 'b']],
    ])('is narrowed by %s', (_, filter, ids) =>
      scoped(backend, async (scope) => {
        await live(scope)
        const then = await recordsAsOf(scope.store, { revision: 5 }, filter)
        expect(then.records.map(({ id }) => id)).toEqual(ids)
        expect(then.position.revision).toBe(5)
      })(),
    )

    it(
      'does not show under a filter what came later or was gone then',
      scoped(backend, async (scope) => {
        await live(scope)
        for (const [revision, ids] of [
          [0, []],
          [1, ['a']],
          [4, []],
          [5, ['a']],
        ] as const) {
          const then = await recordsAsOf(scope.store, { revision }, { kind: 'service', id: 'a' })
          expect(
            then.records.map(({ id }) => id),
            `revision ${revision}`,
          ).toEqual(ids)
        }
      }),
    )

    it(
      'gives one empty page, with its position, where there is nothing to show',
      scoped(backend, async ({ store, caller }) => {
        const { pages } = await recordsAsOf(store, { revision: 0 })
        expect(pages).toEqual([{ position: caller.position, records: [] }])
        await caller.send(commitOf(put('a')), commitOf(remove('a')))
        const later = await recordsAsOf(store, { at: Date.UTC(2200, 0) }, { kind: 'service', id: 'a' })
        expect(later.pages).toEqual([{ position: caller.position, records: [] }])
      }),
    )

    it(
      'comes in pages of one position, ordered by kind and id by code points',
      scoped(
        backend,
        async ({ store, caller }) => {
          const ids = ['\uff5e', '\u{1f600}', 'a', 'Z', 'ä', ...idsOf('r', 20)]
          await caller.send(...ids.map((id) => commitOf(put(id))))
          const { revision } = caller.position
          await caller.send(...ids.slice(0, 9).map((id) => commitOf(remove(id))))
          const { pages, records } = await recordsAsOf(store, { revision })
          expect(pages.length).toBeGreaterThanOrEqual(5)
          for (const page of pages) expect(page.records.length).toBeLessThanOrEqual(5)
          expect(records.map(({ id }) => id)).toEqual(
            ids
              .map((id) => ({ kind: 'service', id }))
              .sort(byKey)
              .map(({ id }) => id),
          )
        },
        { pageSize: 5 },
      ),
    )

    it(
      'does not move with commits between its pages',
      scoped(
        backend,
        async ({ store, caller }) => {
          const ids = idsOf('r', 12)
          await caller.send(...ids.map((id) => commitOf(put(id))))
          const seen: string[] = []
          for await (const page of store.asOf({ revision: 12 })) {
            seen.push(...page.records.map(({ id, data }) => `${id}${data}`))
            await caller.send(
              commitOf(remove(ids[11 - (seen.length % 7)] as string)),
              commitOf(put('r055', { new: true })),
              commitOf(put(ids[6] as string, { changed: seen.length })),
            )
          }
          expect(seen).toEqual(ids.map((id) => `${id}{"v":1}`))
        },
        { pageSize: 3 },
      ),
    )

    it(
      'may be left early',
      scoped(
        backend,
        async ({ store, caller }) => {
          await caller.send(...idsOf('r', 10).map((id) => commitOf(put(id))))
          for await (const page of store.asOf({ revision: 10 })) {
            expect(page.records).toHaveLength(3)
            break
          }
          await caller.write(put('later'))
          expect((await recordsAsOf(store, { revision: 11 })).records).toHaveLength(11)
        },
        { pageSize: 3 },
      ),
    )

    it(
      'shows at the head what a load shows',
      scoped(backend, async (scope) => {
        await live(scope)
        const { records } = await loadAll(scope.store)
        expect((await recordsAsOf(scope.store, { revision: 6 })).records).toEqual(records)
      }),
    )

    it(
      'refuses a revision above the head',
      scoped(backend, async (scope) => {
        await live(scope)
        for (const revision of [7, Number.MAX_SAFE_INTEGER])
          await expect(recordsAsOf(scope.store, { revision })).rejects.toMatchObject({
            code: 'COORD_REVISION_FUTURE',
            extra: { head: 6 },
          })
      }),
    )

    it(
      'is the same after a restart, where the store is durable',
      scoped(backend, async (scope) => {
        await live(scope)
        await scope.reopenIfDurable()
        for (const [revision, records] of states.entries())
          expect((await recordsAsOf(scope.store, { revision })).records).toEqual(records)
      }),
    )
  })
}
