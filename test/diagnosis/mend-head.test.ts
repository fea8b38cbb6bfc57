import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { examineStore } from '../../src/database/examine-store.ts'
import { PostgresStore } from '../../src/database/postgres/store.ts'
import { SqliteStore } from '../../src/database/sqlite/store.ts'
import type { Head, Store } from '../../src/database/store.ts'
import type { StoredRecord } from '../../src/records/record.ts'
import { commitOf, idsOf, put, remove } from '../conformance/build.ts'
import { accepted, Caller, loadAll, recordsAsOf } from '../conformance/caller.ts'
import { scratchFolder } from '../main/coordinator-process.ts'
import { storeOptions } from '../support/backends/postgres.ts'
import { PostgresServer } from '../support/postgres.ts'

/** A database whose tables can be changed behind the store. */
interface Damaged {
  /** A store that is not opened. */
  make(): Store
  /** Runs the statements of its dialect. */
  behind(sql: Readonly<Record<'postgres' | 'sqlite', string>>): Promise<void>
}

/** Leaves everything but the head, which becomes that of a schema that was just created. */
const loseHead = {
  postgres: `update S.head set lineage = f.lineage, digest = f.lineage::text, first_digest = f.lineage::text, revision = 0,
    floor = 0, swept = 0, required_since = null from (select gen_random_uuid() as lineage) f where id = 1`,
  sqlite: `update head set lineage = 'fresh', digest = 'fresh', first_digest = 'fresh', revision = 0, floor = 0, swept = 0`,
}
const loseJournal = {
  postgres: 'truncate S.journal; truncate S.tombstones',
  sqlite: 'delete from journal; delete from writes; delete from records where data is null',
}

const contentOf = (records: readonly StoredRecord[]) =>
  records.map(({ id, data, createdAt }) => [id, data, createdAt])

/** 12 commits: 5 records, changed and deleted, one of them made again. */
async function fill(store: Store): Promise<Caller> {
  const caller = new Caller(store, (await store.open()).position)
  const ids = idsOf('r', 5)
  await caller.send(...ids.map((id) => commitOf(put(id))))
  await caller.send(...ids.map((id) => commitOf(put(id, { v: 2 }))))
  await caller.send(commitOf(remove('r0')), commitOf(remove('r1')))
  await caller.send(commitOf(put('r1', { v: 3 })))
  return caller
}

function mending(kind: string, start: () => Promise<Damaged & AsyncDisposable>): void {
  describe(`mending the head, on ${kind}`, () => {
    /** Mends what `damage` made of a filled database, and expects that all of it fits again. */
    async function mended(
      damage: (damaged: Damaged) => Promise<void>,
      check: (store: Store, head: Head, filled: Caller) => Promise<void>,
      prepare: (store: Store) => Promise<unknown> = async () => undefined,
    ): Promise<void> {
      await using damaged = await start()
      const first = damaged.make()
      const filled = await fill(first)
      await prepare(first)
      await first.close()
      await damage(damaged)
      const store = damaged.make()
      try {
        const head = (await store.mendHead?.()) as Head
        expect(await store.open()).toEqual(head)
        expect(await examineStore(store.inspector)).toEqual({ damages: [], count: 0 })
        await check(store, head, filled)
        // Writing, compaction and following go on from there.
        const caller = await Caller.at(store)
        accepted(await caller.write(put('r2', { v: 9 })))
        accepted(await caller.write(remove('r3')))
        const { position } = await store.compact(Number.MAX_SAFE_INTEGER)
        expect(position.revision).toBe(head.position.revision + 2)
        expect(await examineStore(store.inspector)).toEqual({ damages: [], count: 0 })
        expect((await loadAll(store)).records.map(({ id }) => id)).toEqual(['r1', 'r2', 'r4'])
      } finally {
        await store.close()
      }
    }

    it('changes only the lineage, if the head is right', () =>
      mended(
        async () => undefined,
        async (store, head, { position }) => {
          expect(head).toMatchObject({ floor: 3, ancestors: [position.lineage] })
          expect(head.position).toMatchObject({ revision: 13, digest: position.digest })
          expect((await recordsAsOf(store, { revision: 4 })).records).toHaveLength(4)
        },
        (store) => store.compact(3),
      ))

    it.each(['copy', 'frozen', 'seeding'] as const)(
      'opens a store in mode %s, which has a history of its own now, unless it was being filled',
      async (mode) => {
        await using damaged = await start()
        const store = damaged.make()
        try {
          await store.open()
          const { position } = await store.setMode('open', mode)
          const head = await store.mendHead?.()
          expect(head).toMatchObject({
            mode: mode === 'seeding' ? 'seeding' : 'open',
            ancestors: [position.lineage],
          })
          expect(await store.head()).toEqual(head)
        } finally {
          await store.close()
        }
      },
    )

    it('keeps the floor of a head that is only too low', () =>
      mended(
        ({ behind }) =>
          behind({
            postgres: `update S.head h set revision = 9, digest = j.digest from S.journal j where h.id = 1 and j.revision = 9`,
            sqlite: `update head set revision = 9, digest = (select digest from journal where revision = 9)`,
          }),
        async (store, head, { position }) => {
          expect(head).toMatchObject({ floor: 3, position: { revision: 13, digest: position.digest } })
          expect((await recordsAsOf(store, { revision: 4 })).records).toHaveLength(4)
        },
        (store) => store.compact(3),
      ))

    it('finds every moment again, if nothing was ever compacted', () =>
      mended(
        ({ behind }) => behind(loseHead),
        async (store, head, { position }) => {
          expect(head).toMatchObject({ floor: 1, position: { revision: 13, digest: position.digest } })
          for (const [revision, count] of [
            [1, 1],
            [5, 5],
            [10, 5],
            [11, 4],
            [12, 3],
            [13, 4],
          ] as const)
            expect((await recordsAsOf(store, { revision })).records, `${revision}`).toHaveLength(count)
        },
      ))

    it('knows only the present, if something was compacted; histories stay', () =>
      mended(
        ({ behind }) => behind(loseHead),
        async (store, head) => {
          expect(head).toMatchObject({ floor: 13, position: { revision: 13 } })
          await expect(recordsAsOf(store, { revision: 12 })).rejects.toMatchObject({
            code: 'COORD_REVISION_COMPACTED',
          })
          expect((await store.history('service', 'r4')).entries.map(({ revision }) => revision)).toEqual([
            10, 5,
          ])
        },
        (store) => store.compact(7),
      ))

    it('makes commits of records whose journal is gone', () =>
      mended(
        async ({ behind }) => {
          await behind(loseHead)
          await behind(loseJournal)
        },
        async (store, head) => {
          expect(head).toMatchObject({ floor: 4, position: { revision: 4 } })
          const { records } = await loadAll(store)
          expect(records.map(({ id, data }) => [id, data])).toEqual([
            ['r1', '{"v":3}'],
            ['r2', '{"v":2}'],
            ['r3', '{"v":2}'],
            ['r4', '{"v":2}'],
          ])
          const { entries, complete } = await store.history('service', 'r2')
          expect([entries.map(({ actor }) => actor), complete]).toEqual([['restored'], true])
        },
      ))

    it('keeps what the records have, if the newest entries are gone', async () => {
      let before: unknown
      await mended(
        ({ behind }) =>
          behind({
            postgres: 'delete from S.journal where revision > 8',
            sqlite: 'delete from journal where revision > 8; delete from writes where revision > 8',
          }),
        async (store, head) => {
          expect(contentOf((await loadAll(store)).records)).toEqual(before)
          expect(head.floor).toBe(head.position.revision)
        },
        async (store) => {
          before = contentOf((await loadAll(store)).records)
        },
      )
    })

    it('begins at the first revision, if nothing is left', async () => {
      await using damaged = await start()
      const first = damaged.make()
      await fill(first)
      await first.close()
      await damaged.behind(loseJournal)
      await damaged.behind({
        postgres: 'truncate S.records; delete from S.head',
        sqlite: 'delete from records; delete from head',
      })
      const store = damaged.make()
      const head = (await store.mendHead?.()) as Head
      expect(head.position).toEqual({
        lineage: head.position.lineage,
        revision: 0,
        digest: head.position.lineage,
      })
      expect(await store.open()).toEqual(head)
      accepted(await (await Caller.at(store)).write(put('a')))
      await store.close()
    })
  })
}

mending('sqlite', async () => {
  const folder = await scratchFolder()
  const path = `${folder.path}/coordinator.db`
  return {
    make: () => new SqliteStore({ path }),
    behind: async ({ sqlite }) => {
      const database = new DatabaseSync(path)
      database.exec(sqlite)
      database.close()
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
})

describe.each([18, 15] as const)('PostgreSQL %i', (version) => {
  let server: PostgresServer
  let made = 0
  beforeAll(async () => {
    server = await PostgresServer.start({ version })
  })
  afterAll(() => server.dispose())

  mending('postgres', async () => {
    made += 1
    const schema = `mended_${made}`
    return {
      make: () => new PostgresStore(storeOptions(server, { schema })),
      behind: async ({ postgres }) => {
        const sql = postgres.replaceAll(/\bS\./g, `${schema}.`)
        await server.query(`begin; set local session_replication_role = replica; ${sql}; commit`)
      },
      [Symbol.asyncDispose]: async () => undefined,
    }
  })
})
