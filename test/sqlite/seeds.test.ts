import { randomUUID } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { examineStore } from '../../src/database/examine-store.ts'
import type { SqliteStore } from '../../src/database/sqlite/store.ts'
import type { SeedPoint } from '../../src/database/store.ts'
import { nextDigest } from '../../src/records/digest.ts'
import type { Entry, StoredRecord } from '../../src/records/record.ts'
import { idsOf, put, remove } from '../conformance/build.ts'
import { Caller, loadAll, recordsAsOf } from '../conformance/caller.ts'
import { type Folder, inFolder } from './in-folder.ts'

const sound = { damages: [], count: 0 }

/** A moment of another history. */
function pointAt(revision: number): SeedPoint {
  const lineage = randomUUID()
  return {
    position: { lineage, revision, digest: nextDigest(lineage, 'other') },
    at: 5_000,
    ancestors: [],
  }
}

function recordsOf(count: number): StoredRecord[] {
  return idsOf('r', count).map((id, index) => ({
    kind: 'service',
    id,
    data: `{"v":${index}}` as StoredRecord['data'],
    revision: 1 + (index % 9),
    createdAt: 1_000,
    updatedAt: 2_000 + index,
  }))
}

function rowsOf(file: string, sql: string): readonly Record<string, unknown>[] {
  const database = new DatabaseSync(file, { readOnly: true })
  const rows = database.prepare(sql).all()
  database.close()
  return rows
}

const numberOfSeeded = ({ file }: Folder) =>
  rowsOf(file(), 'select count(*) as count from seeded')[0]?.['count']

/** A store that holds five records of revision 9, and is open for writes. */
async function seeded(folder: Folder): Promise<{ readonly store: SqliteStore; readonly point: SeedPoint }> {
  const store = folder.store()
  const point = pointAt(9)
  await store.open()
  await store.setMode('open', 'seeding')
  await store.seed(point, recordsOf(5))
  await store.setMode('seeding', 'open')
  return { store, point }
}

describe('sqlite: seeded records', () => {
  it(
    'are sound to an examination, before and after they change, and compaction leaves nothing of them',
    inFolder(async (folder) => {
      const { store } = await seeded(folder)
      expect(await examineStore(store.inspector)).toEqual(sound)
      const caller = await Caller.at(store)
      await caller.write(put('r0', { v: 'new' }), remove('r1'))
      await caller.write(put('r1', { v: 'again' }))
      expect(await examineStore(store.inspector)).toEqual(sound)
      expect((await recordsAsOf(store, { revision: 9 })).records).toEqual(recordsOf(5))
      expect(numberOfSeeded(folder)).toBe(5)

      await store.compact(10)
      expect(numberOfSeeded(folder)).toBe(3)
      expect(
        (await recordsAsOf(store, { revision: 10 })).records.map(({ id, revision }) => [id, revision]),
      ).toEqual([
        ['r0', 10],
        ['r2', 3],
        ['r3', 4],
        ['r4', 5],
      ])
      expect(await examineStore(store.inspector)).toEqual(sound)
    }),
  )

  it(
    'that somebody altered or deleted are found, and the SQL of the finding brings the seeded content back',
    inFolder(async (folder) => {
      const { store } = await seeded(folder)
      await store.close()
      const database = new DatabaseSync(folder.file())
      database.exec(
        `update records set data = '{"v":99}' where id = 'r3'; delete from records where id = 'r1'`,
      )
      const again = folder.store()
      const { damages } = (await examineStore(again.inspector)) ?? {}
      expect(damages).toMatchObject([
        { found: 'The record service "r3" differs from what revision 4 wrote.' },
        { found: 'The record service "r1" is missing or older than what revision 2 wrote.' },
      ])
      for (const { repair } of damages ?? []) database.exec(repair)
      database.close()
      await again.open()
      expect(await examineStore(again.inspector)).toEqual(sound)
      expect((await loadAll(again)).records).toEqual(recordsOf(5))
    }),
  )

  it.each([false, true])(
    'become commits if the head is lost: nothing tells any more when they were seeded (entries after it: %s)',
    (hasEntries) =>
      inFolder(async (folder) => {
        const { store } = await seeded(folder)
        if (hasEntries) await (await Caller.at(store)).write(put('r0', { v: 'new' }))
        const before = (await loadAll(store)).records.map(({ id, data }) => [id, data])
        await store.close()
        const database = new DatabaseSync(folder.file())
        database.exec(`update head set lineage = '${randomUUID()}', revision = 0, first_revision = 0, floor = 0, swept = 0,
          seeded_at = null; update head set digest = lineage, first_digest = lineage`)
        database.close()

        const again = folder.store()
        await expect(again.open()).rejects.toMatchObject({ code: 'COORD_STORE_DAMAGED' })
        const head = await again.mendHead()
        expect(head.position.revision).toBe(hasEntries ? 10 + 4 : 5)
        expect(await again.open()).toEqual(head)
        expect(await examineStore(again.inspector)).toEqual(sound)
        expect((await loadAll(again)).records.map(({ id, data }) => [id, data])).toEqual(before)
      })(),
  )

  it(
    'keep head, floor and content when the head of a sound file is mended',
    inFolder(async (folder) => {
      const { store, point } = await seeded(folder)
      const head = await store.mendHead()
      expect(head).toMatchObject({ floor: 9, ancestors: [point.position.lineage] })
      expect(head.position).toMatchObject({ revision: 9, digest: point.position.digest })
      expect((await recordsAsOf(store, { revision: 9 })).records).toEqual(recordsOf(5))
    }),
  )
})

describe('sqlite: a seed at another point', () => {
  it(
    'removes the rest of an unfinished one in parts, lets others in between, and leaves only its own records',
    inFolder(async (folder) => {
      const store = folder.store()
      await store.open()
      await store.setMode('open', 'seeding')
      const first = pointAt(9)
      const { position } = await store.seed(first, recordsOf(30_000))
      const commitId = randomUUID()
      const entry: Entry = {
        ...{
          revision: 10,
          commitId,
          at: 6_000,
          actor: 'test',
          digest: nextDigest(position.digest, commitId),
        },
        writes: [{ op: 'put', kind: 'service', id: 'r1', data: '{}' as StoredRecord['data'] }],
      }
      expect(await store.replay(position, [entry])).toMatchObject({ status: 'ok' })

      const second = pointAt(20)
      const order: string[] = []
      const seeding = store.seed(second, recordsOf(3)).then((head) => {
        order.push('seeded')
        return head
      })
      const between = await store.head()
      order.push('head')
      // Whoever looks meanwhile sees neither of the two histories.
      expect(between).toMatchObject({ position: { revision: 0 }, floor: 0, mode: 'seeding' })
      expect(between.position.lineage).not.toBe(first.position.lineage)
      const head = await seeding
      expect(order).toEqual(['head', 'seeded'])
      expect(head).toMatchObject({ position: second.position, floor: 20 })
      await store.setMode('seeding', 'open')
      expect((await loadAll(store)).records).toEqual(recordsOf(3))
      expect(numberOfSeeded(folder)).toBe(3)
      expect(rowsOf(folder.file(), 'select * from journal')).toEqual([])
      expect(rowsOf(folder.file(), 'select * from writes')).toEqual([])
    }),
  )

  it(
    'goes on after the removal was interrupted, and so does the way back to an empty open store',
    inFolder(async (folder) => {
      for (const next of ['seed', 'open'] as const) {
        const path = folder.file(`${next}.db`)
        const store = folder.store({ path })
        await store.open()
        await store.setMode('open', 'seeding')
        await store.seed(pointAt(9), recordsOf(3))
        await store.close()
        // What a process leaves that was killed after the first transaction of a removal.
        const database = new DatabaseSync(path)
        const lineage = randomUUID()
        database.exec(`update head set lineage = '${lineage}', digest = '${lineage}', first_digest = '${lineage}', revision = 0,
          first_revision = 0, floor = 0, swept = 0, seeded_at = null, clearing = 1`)
        database.close()

        const again = folder.store({ path })
        expect(await again.open()).toMatchObject({ mode: 'seeding', position: { revision: 0 } })
        expect(await examineStore(again.inspector)).toEqual(sound)
        const point = pointAt(9)
        if (next === 'seed') await again.seed(point, recordsOf(2))
        const head = await again.setMode('seeding', 'open')
        expect(head.position).toMatchObject(next === 'seed' ? point.position : { lineage, revision: 0 })
        expect((await loadAll(again)).records).toEqual(next === 'seed' ? recordsOf(2) : [])
        expect(await examineStore(again.inspector)).toEqual(sound)
      }
    }),
  )
})

describe('sqlite: a commit id that comes again in a replay', () => {
  it(
    'is kept by both entries, belongs to the newer one, and is no damage',
    inFolder(async ({ store: make }) => {
      const store = make()
      await store.open()
      await store.setMode('open', 'copy')
      const { position } = await store.head()
      const commitId = randomUUID()
      const one = nextDigest(position.digest, commitId)
      const entry = (revision: number, digest: string): Entry => ({
        ...{ revision, commitId, at: 1_000 * revision, actor: 'test', digest, fingerprint: `f${revision}` },
        writes: [{ op: 'put', kind: 'service', id: 'a', data: `{"v":${revision}}` as StoredRecord['data'] }],
      })
      const entries = [entry(1, one), entry(2, nextDigest(one, commitId))]
      expect(await store.replay(position, entries)).toMatchObject({ status: 'ok' })
      expect(await store.replay(position, entries)).toMatchObject({ status: 'ok', head: { floor: 0 } })
      await store.setMode('copy', 'open')
      expect(await store.changes(position, 10)).toMatchObject({ status: 'ok', entries })
      expect((await store.history('service', 'a')).entries).toEqual(entries.toReversed())
      expect(await examineStore(store.inspector)).toEqual(sound)
      const caller = await Caller.at(store)
      const again = { commitId, actor: 'test', fingerprint: 'f2', writes: [put('b')] }
      expect(await caller.send(again)).toMatchObject([{ outcome: 'accepted', revision: 2, replayed: true }])
      await store.compact(2)
      expect(await caller.send(again)).toMatchObject([{ outcome: 'accepted', revision: 2, replayed: true }])
    }),
  )
})
