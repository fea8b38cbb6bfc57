import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { TOKENS_MAX } from '../../src/database/access-store.ts'
import { MemoryStore } from '../../src/database/memory/store.ts'
import { PostgresStore } from '../../src/database/postgres/store.ts'
import { SqliteStore } from '../../src/database/sqlite/store.ts'
import type { Store } from '../../src/database/store.ts'
import { tokenOf } from '../conformance/build.ts'
import { storeOptions } from '../support/backends/postgres.ts'
import { PostgresServer } from '../support/postgres.ts'

/** One more token than a store takes; `fill` adds so many others. */
async function expectLimit(store: Store, fill: (count: number) => Promise<unknown>): Promise<void> {
  const first = await store.access.put(tokenOf('first'))
  const revoked = await store.access.revoke(first.id, 'token:admin')
  await fill(TOKENS_MAX - 2)
  const last = await store.access.put(tokenOf('last'))
  const { tokens, version } = await store.access.load()
  expect(new Set(tokens.map(({ id }) => id)).size).toBe(TOKENS_MAX)
  expect(tokens).toEqual(tokens.toSorted((left, right) => (left.id < right.id ? -1 : 1)))
  await expect(store.access.put(tokenOf('more'))).rejects.toMatchObject({
    code: 'COORD_TOKENS_TOO_MANY',
    outcome: 'not_written',
  })
  // What is there already can still be stored again, and revoked.
  expect(await store.access.put(tokenOf('first'))).toEqual(revoked)
  expect((await store.head()).accessVersion).toBe(version)
  expect((await store.access.revoke(last.id, 'token:admin')).revokedBy).toBe('token:admin')
}

describe('10,000 tokens', () => {
  it('are kept in memory, and one more is refused', async () => {
    const store = new MemoryStore()
    await expectLimit(store, (count) =>
      Promise.all(Array.from({ length: count }, (_, at) => store.access.put(tokenOf(`t${at}`)))),
    )
  })

  it('are kept in a SQLite file, and one more is refused', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tokens-'))
    const path = join(folder, 'coordinator.db')
    const store = new SqliteStore({ path })
    await store.open()
    await expectLimit(store, async (count) => {
      const database = new DatabaseSync(path)
      database.exec(`begin; update head set tokens_open = 1;
        insert into access_tokens (id, name, scopes, secret_hash, created_at, created_by)
        with recursive n (i) as (select 1 union all select i + 1 from n where i < ${count})
        select printf('x%011d', i), 'x' || i, '["read"]', '${'a'.repeat(64)}', 1, 'test' from n;
        update head set tokens_open = 0; commit`)
      database.close()
    })
    await store.close()
    await rm(folder, { recursive: true })
  })

  it('are kept in PostgreSQL, and one more is refused', async () => {
    await using server = await PostgresServer.start()
    const store = new PostgresStore(storeOptions(server))
    await store.open()
    await expectLimit(store, (count) =>
      server.query(`select set_config('coordinator.writer', 'on', true);
        insert into coordinator.access_tokens (id, name, scopes, secret_hash, created_at, created_by)
        select 'x' || lpad(i::text, 11, '0'), 'x' || i, '["read"]', repeat('a', 64), 1, 'test'
        from generate_series(1, ${count}) i`),
    )
    await store.close()
  })
})
