import { statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { commitOf, idsOf, put, remove } from '../conformance/build.ts'
import { Caller, loadAll, recordsAsOf } from '../conformance/caller.ts'
import { inFolder } from './in-folder.ts'

/** `rounds` versions of each of 100 records, each version a commit of its own; every tenth record is deleted at last. */
async function fill(caller: Caller, rounds: number): Promise<void> {
  const ids = idsOf('r', 100)
  for (let v = 1; v <= rounds; v += 1) await caller.send(...ids.map((id) => commitOf(put(id, { v }))))
  await caller.send(...ids.filter((_, index) => index % 10 === 0).map((id) => commitOf(remove(id))))
}

function count(file: string, table: string): number {
  const database = new DatabaseSync(file, { readOnly: true })
  const row = database.prepare(`select count(*) as count from ${table}`).get()
  database.close()
  return Number(row?.['count'])
}

describe('sqlite: compaction', () => {
  it(
    'lets commits in between its parts',
    inFolder(async ({ file, store }) => {
      const owner = store()
      await owner.open()
      const caller = await Caller.at(owner)
      await fill(caller, 60)
      const { revision } = caller.position
      const order: string[] = []
      const compacting = owner.compact(revision).then((head) => {
        order.push('compacted')
        return head
      })
      for (let index = 0; index < 3; index += 1) {
        await caller.write(put('during', { index }))
        order.push('committed')
      }
      expect(order).toEqual(['committed', 'committed', 'committed'])
      expect((await compacting).floor).toBe(revision)
      expect(count(file(), 'journal')).toBe(90 + 1 + 3)
      expect(count(file(), 'writes')).toBe(90 + 1 + 3)
      expect(count(file(), 'records')).toBe(91)
      const { records, position } = await recordsAsOf(owner, { revision })
      expect(position.revision).toBe(revision)
      expect(records).toHaveLength(90)
    }),
  )

  it(
    'has forgotten a deletion as soon as the floor is above it: a record that comes back before it is swept is new',
    inFolder(async ({ store }) => {
      const owner = store()
      await owner.open()
      const caller = await Caller.at(owner)
      await fill(caller, 40)
      const compacting = owner.compact(caller.position.revision)
      await caller.write(put('r00', { back: true }))
      await compacting
      expect(await owner.history('service', 'r00')).toEqual({
        position: caller.position,
        entries: [caller.entries.at(-1)],
        previous: [0],
        complete: true,
      })
    }),
  )

  it(
    'that was cut off answers as if it had ended, and the next one removes the rest',
    inFolder(async ({ file, store }) => {
      const threads: Worker[] = []
      const note = (worker: Worker) => threads.push(worker)
      process.on('worker', note)
      const owner = store()
      await owner.open()
      process.off('worker', note)
      const caller = await Caller.at(owner)
      await fill(caller, 40)
      const { revision } = caller.position
      const before = await recordsAsOf(owner, { revision })
      const compacting = owner.compact(revision)
      const cut = expect(compacting).rejects.toMatchObject({ outcome: 'unknown' })
      // Behind the rise of the floor and the first part, before the second.
      await owner.head()
      await owner.head()
      await threads[0]?.terminate()
      await cut

      expect(count(file(), 'journal')).toBeGreaterThan(1_000)
      expect(await owner.head()).toMatchObject({ floor: revision })
      expect((await loadAll(owner)).tombstones).toEqual([])
      await expect(recordsAsOf(owner, { revision: revision - 1 })).rejects.toMatchObject({
        code: 'COORD_REVISION_COMPACTED',
      })
      expect((await recordsAsOf(owner, { revision })).records).toEqual(before.records)
      expect(await owner.history('service', 'r00')).toMatchObject({
        entries: [],
        previous: [],
        complete: true,
      })

      expect((await owner.compact(revision)).floor).toBe(revision)
      expect(count(file(), 'journal')).toBe(90 + 1)
      expect(count(file(), 'records')).toBe(90)
      expect((await recordsAsOf(owner, { revision })).records).toEqual(before.records)
    }),
  )

  it(
    'makes room in the file for what comes',
    inFolder(async ({ file, store }) => {
      const sizes: number[] = []
      for (let round = 0; round < 4; round += 1) {
        const owner = store()
        await owner.open()
        const caller = await Caller.at(owner)
        await fill(caller, 20)
        await owner.compact(caller.position.revision)
        await owner.close()
        sizes.push(statSync(file()).size)
      }
      expect(sizes.at(-1)).toBeLessThan((sizes[0] ?? 0) * 1.2)
    }),
  )
})

describe('sqlite: long answers come in parts', () => {
  it(
    'a record with thousands of versions has its whole history and every moment',
    inFolder(async ({ store }) => {
      const owner = store()
      await owner.open()
      const caller = await Caller.at(owner)
      const versions = 5_000
      for (let v = 1; v <= versions; v += 500)
        await caller.send(
          ...Array.from({ length: 500 }, (_, index) => commitOf(put('hot', { v: v + index }))),
        )
      const { entries, complete } = await owner.history('service', 'hot', { limit: versions })
      expect(entries.map(({ revision }) => revision)).toEqual(
        Array.from({ length: versions }, (_, index) => versions - index),
      )
      expect(complete).toBe(true)
      const page = await owner.history('service', 'hot', { limit: 1_500 })
      expect(page.entries).toEqual(entries.slice(0, 1_500))
      expect(page).toMatchObject({ next: versions - 1_499, complete: false })
      const oldest = await owner.history('service', 'hot', { before: 3 })
      expect(oldest.entries.map(({ revision }) => revision)).toEqual([2, 1])
      for (const revision of [1, 2_500, versions]) {
        const all = await recordsAsOf(owner, { revision })
        expect(all.records.map(({ data }) => data)).toEqual([`{"v":${revision}}`])
        const one = await recordsAsOf(owner, { revision }, { kind: 'service', id: 'hot' })
        expect(one.records).toEqual(all.records)
      }
    }),
  )

  it(
    'large records make small pages',
    inFolder(async ({ store }) => {
      const owner = store()
      await owner.open()
      const caller = await Caller.at(owner)
      const text = 'x'.repeat(200 * 1024)
      const ids = idsOf('r', 60)
      await caller.send(...ids.map((id) => commitOf(put(id, { text }))))
      const { pages, records } = await loadAll(owner)
      expect(records.map(({ id }) => id)).toEqual(ids)
      for (const page of pages) expect(page.records.length).toBeLessThanOrEqual(16)
      const moment = await recordsAsOf(owner, { revision: 60 })
      expect(moment.records).toEqual(records)
      for (const page of moment.pages) expect(page.records.length).toBeLessThanOrEqual(16)
      const changes = await owner.changes(
        { ...caller.position, revision: 0, digest: caller.position.lineage },
        512,
      )
      if (changes.status !== 'ok') throw new Error(changes.status)
      expect(changes.entries.length).toBeLessThan(20)
      expect(changes.more).toBe(true)
    }),
  )
})
