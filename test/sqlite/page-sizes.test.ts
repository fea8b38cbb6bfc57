import { describe, expect, it } from 'vitest'
import type { StoredRecord } from '../../src/records/record.ts'
import { commitOf, idsOf, put } from '../conformance/build.ts'
import { Caller } from '../conformance/caller.ts'
import { inFolder } from './in-folder.ts'

const mebibyte = 1_048_576
/** A page ends behind the record that made it larger than this, and a record has 1 MiB here. */
const pageMaxSize = 2 * mebibyte + 10_000

const sizeOf = (records: readonly StoredRecord[]) => records.reduce((sum, { data }) => sum + data.length, 0)

describe('sqlite: a page', () => {
  it(
    'is bounded in size, also where large records follow many small ones',
    inFolder(async (folder) => {
      const store = folder.store()
      await store.open()
      const caller = await Caller.at(store)
      await caller.send(...idsOf('a', 300).map((id) => commitOf(put(id))))
      await caller.send(...idsOf('b', 12).map((id) => commitOf(put(id, { text: 'x'.repeat(mebibyte) }))))
      const sizes: number[] = []
      for await (const { records } of store.load()) sizes.push(sizeOf(records))
      for await (const { records } of store.asOf({ revision: caller.position.revision }))
        sizes.push(sizeOf(records))
      expect(Math.max(...sizes)).toBeLessThan(pageMaxSize)
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBeGreaterThan(24 * mebibyte)
    }),
  )

  it(
    'of an examination is bounded in the same way',
    inFolder(async (folder) => {
      const store = folder.store()
      await store.open()
      const caller = await Caller.at(store)
      await caller.send(...idsOf('b', 12).map((id) => commitOf(put(id, { text: 'x'.repeat(mebibyte) }))))
      let parts = 0
      for (let from: Awaited<ReturnType<typeof examine>>['next']; ; ) {
        const { damages, next } = await examine(from)
        expect(damages).toEqual([])
        parts += 1
        if (next === undefined) break
        from = next
      }
      // One for the journal, and one for each record.
      expect(parts).toBeGreaterThanOrEqual(13)

      function examine(from: Parameters<NonNullable<typeof store.inspector.examine>>[0]) {
        if (store.inspector.examine === undefined) throw new Error('SQLite can be examined')
        return store.inspector.examine(from)
      }
    }),
  )
})
