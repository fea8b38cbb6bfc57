import { describe, expect, it } from 'vitest'
import type { Store } from '../../src/database/store.ts'
import { View } from '../../src/live/view/view.ts'
import type { RecordKey } from '../../src/records/record.ts'
import type { ConformanceBackend } from './backend.ts'
import { commitOf, idsOf, put, remove } from './build.ts'
import { byKey, Caller, loadAll } from './caller.ts'
import { scoped } from './scope.ts'

/** Keys whose order differs between UTF-16 code units, code points, and the collations of natural languages. */
export const awkwardIds = [
  'Z',
  'a',
  'A',
  'ä',
  'a\u0308',
  'z',
  '\u00df',
  'ss',
  '\uff5e',
  '\u{1f600}',
  '\ue000',
  '\u{10ffff}',
  '\uffff',
  '10',
  '9',
  ' ',
  'a b',
  'a-b',
  'a_b',
  'a/b',
  '/',
  '%2F',
  "quote'",
  '"',
  '\\',
  'new\nline',
  '\u2028',
  'İ',
  'i',
  '\u0001',
  '\u007f',
]

/** `load`: all records, in pages that may come from different moments. */
export function loads(backend: ConformanceBackend): void {
  describe(`${backend.name}: load`, () => {
    it(
      'gives every record once, over all pages',
      scoped(
        backend,
        async ({ store, caller }) => {
          const keys = ['service', 'node', 'Zoo', 'edge', '\u{1f600}', '\uff5e'].flatMap((kind) =>
            awkwardIds.map((id) => ({ kind, id })),
          )
          await caller.send(...keys.map(({ kind, id }) => commitOf(put(id, { id }, { kind }))))
          const { records, pages } = await loadAll(store)
          expect(pages.length).toBeGreaterThan(30)
          expect(records.map(({ kind, id }) => ({ kind, id }))).toEqual(keys.toSorted(byKey))
          for (const { id, data } of records) expect(JSON.parse(data)).toEqual({ id })
        },
        { pageSize: 5 },
      ),
    )

    it(
      'keeps to the size of a page, tombstones counted',
      scoped(
        backend,
        async ({ store, caller }) => {
          const ids = idsOf('r', 20)
          await caller.send(...ids.map((id) => commitOf(put(id))))
          await caller.send(...ids.filter((_, index) => index % 3 === 0).map((id) => commitOf(remove(id))))
          const { pages, records, tombstones } = await loadAll(store)
          for (const page of pages)
            expect(page.records.length + page.tombstones.length).toBeLessThanOrEqual(4)
          expect([records.length, tombstones.length]).toEqual([13, 7])
          const keys: RecordKey[] = [...records, ...tombstones].sort(byKey)
          expect(keys.map(({ id }) => id)).toEqual(ids)
        },
        { pageSize: 4 },
      ),
    )

    it(
      'carries the lineage on every page',
      scoped(
        backend,
        async ({ store, caller }) => {
          await caller.send(...idsOf('r', 7).map((id) => commitOf(put(id))))
          const { pages } = await loadAll(store)
          expect(new Set(pages.map(({ lineage }) => lineage))).toEqual(new Set([caller.position.lineage]))
        },
        { pageSize: 2 },
      ),
    )

    it(
      'shows a tombstone until the record comes back',
      scoped(backend, async ({ store, caller }) => {
        await caller.send(commitOf(put('a')), commitOf(put('b')), commitOf(remove('b'), remove('a')))
        expect((await loadAll(store)).tombstones).toEqual([
          { kind: 'service', id: 'a', revision: 3 },
          { kind: 'service', id: 'b', revision: 3 },
        ])
        await caller.write(put('a'))
        expect((await loadAll(store)).tombstones).toEqual([{ kind: 'service', id: 'b', revision: 3 }])
      }),
    )

    it(
      'is healed by the changes since the head before it, when records come, change and go between its pages',
      scoped(
        backend,
        async ({ store, caller }) => {
          await caller.send(...idsOf('r', 12).map((id) => commitOf(put(id))))
          const view = await loadWhile(store, async (page) => {
            const [here, behind] = [`r0${page}`, `r${11 - page}`]
            await caller.send(
              commitOf(remove(behind)),
              commitOf(remove(here)),
              commitOf(put(`r0${page + 1}`, { page })),
              commitOf(put(`a${page}`)),
              commitOf(put(`z${page}`)),
              ...(page === 2 ? [commitOf(put('r00', { back: true }))] : []),
            )
          })
          const { records } = await loadAll(store)
          const seen = [...view.records.of('service')].sort(byKey)
          expect(seen).toEqual(records)
          expect(records.length).toBeGreaterThan(5)
        },
        { pageSize: 3 },
      ),
    )

    it(
      'may be left early, and begun again',
      scoped(
        backend,
        async ({ store, caller }) => {
          await caller.send(...idsOf('r', 10).map((id) => commitOf(put(id))))
          for await (const page of store.load()) {
            expect(page.records.length).toBeGreaterThan(0)
            break
          }
          await caller.write(put('later'))
          expect((await loadAll(store)).records).toHaveLength(11)
        },
        { pageSize: 3 },
      ),
    )

    it(
      'may run several times at once',
      scoped(
        backend,
        async ({ store, caller }) => {
          await caller.send(...idsOf('r', 10).map((id) => commitOf(put(id))))
          const all = await Promise.all([loadAll(store), loadAll(store), loadAll(store)])
          for (const { records } of all) expect(records.map(({ id }) => id)).toEqual(idsOf('r', 10))
        },
        { pageSize: 3 },
      ),
    )

    it(
      'goes on over a compaction between its pages',
      scoped(
        backend,
        async ({ store, caller }) => {
          const ids = idsOf('r', 9)
          await caller.send(...ids.map((id) => commitOf(put(id))))
          await caller.send(...ids.map((id) => commitOf(put(id, { v: 2 }))))
          const seen: string[] = []
          for await (const page of store.load()) {
            seen.push(...page.records.map(({ id, data }) => `${id}${data}`))
            await store.compact(caller.position.revision)
          }
          expect(seen.sort()).toEqual(ids.map((id) => `${id}{"v":2}`))
        },
        { pageSize: 2 },
      ),
    )
  })
}

/** Loads as the live layer does, with work done by others after each page. */
async function loadWhile(store: Store, between: (page: number) => Promise<void>): Promise<View> {
  const before = await store.head()
  const view = new View({ kinds: {}, projections: [] }, before.position, before.at)
  let page = 0
  const keys: string[] = []
  for await (const part of store.load()) {
    view.seed(part)
    keys.push(...[...part.records, ...part.tombstones].map(({ kind, id }) => `${kind} ${id}`))
    if (page < 4) await between(page)
    page += 1
  }
  expect(page).toBeGreaterThan(2)
  // Whatever happens meanwhile, no key comes twice as long as nothing is forgotten.
  expect(new Set(keys).size).toBe(keys.length)
  view.apply(await new Caller(store, before.position).follow())
  return view
}
