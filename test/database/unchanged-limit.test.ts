import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { MemoryStore } from '../../src/database/memory/store.ts'
import { PostgresStore } from '../../src/database/postgres/store.ts'
import { SqliteStore } from '../../src/database/sqlite/store.ts'
import type { Store } from '../../src/database/store.ts'
import type { Commit } from '../../src/records/record.ts'
import { commitOf, put } from '../conformance/build.ts'
import { accepted, Caller, unchanged } from '../conformance/caller.ts'
import { storeOptions } from '../support/backends/postgres.ts'
import { PostgresServer } from '../support/postgres.ts'

const limit = 100_000

const named = (v: number): Commit => ({ ...commitOf(put('a', { v })), fingerprint: 'one' })

/** Two commits that change nothing, then as many others as `fill` adds, then one more: the first of the two is forgotten. */
async function expectLimit(store: Store, fill: (count: number) => Promise<void>): Promise<void> {
  const caller = await Caller.at(store)
  const [oldest, second, youngest] = [named(1), named(1), named(1)]
  await caller.write(put('a', { v: 1 }))
  await caller.send(oldest, second)
  await fill(limit - 2)
  await caller.send(youngest)
  await caller.write(put('a', { v: 2 }))
  expect(unchanged((await caller.send(second))[0]).replayed).toBe(true)
  expect(unchanged((await caller.send(youngest))[0]).replayed).toBe(true)
  expect(accepted((await caller.send(oldest))[0]).replayed).toBe(false)
}

describe('100,000 commits with a fingerprint that changed nothing', () => {
  it('are remembered in memory, and one more pushes out the oldest', async () => {
    const store = new MemoryStore()
    await expectLimit(store, async (count) => {
      const caller = await Caller.at(store)
      for (let sent = 0; sent < count; sent += 1_000)
        await caller.send(...Array.from({ length: Math.min(1_000, count - sent) }, () => named(1)))
    })
  })

  it('are remembered in a SQLite file, and one more pushes out the oldest', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'unchanged-'))
    const path = join(folder, 'coordinator.db')
    const store = new SqliteStore({ path })
    await store.open()
    await expectLimit(store, async (count) => {
      const database = new DatabaseSync(path)
      database.exec(`insert into unchanged (commit_id, fingerprint, at, writes, revisions)
        with recursive n (i) as (select 1 union all select i + 1 from n where i < ${count})
        select 'other ' || i, 'one', ${Date.now()}, '[]', '[]' from n`)
      database.close()
    })
    await store.close()
    await rm(folder, { recursive: true })
  })

  it('are remembered in PostgreSQL, and one more pushes out the oldest', async () => {
    await using server = await PostgresServer.start()
    const store = new PostgresStore(storeOptions(server))
    await store.open()
    await expectLimit(store, async (count) => {
      await server.query(`select set_config('coordinator.writer', 'on', true);
        insert into coordinator.unchanged (number, commit_id, fingerprint, at, writes, revisions)
        select (select max(number) from coordinator.unchanged) + i, gen_random_uuid(), 'one',
          (select max(at) from coordinator.unchanged), '[]', '{}' from generate_series(1, ${count}) i`)
    })
    const [row] = await server.query('select count(*)::integer as rows from coordinator.unchanged')
    expect(row).toEqual({ rows: limit })
    await store.close()
  })
})
