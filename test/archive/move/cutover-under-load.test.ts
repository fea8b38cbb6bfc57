import { describe, expect, it } from 'vitest'
import { PostgresStore } from '../../../src/database/postgres/store.ts'
import { SqliteStore } from '../../../src/database/sqlite/store.ts'
import { scratchFolder } from '../../main/coordinator-process.ts'
import { storeOptions } from '../../support/backends/postgres.ts'
import { PostgresServer } from '../../support/postgres.ts'
import { type Ground, runCutovers } from './cutover-run.ts'

describe('cutovers while clients write', () => {
  it('lose and double nothing, and show one lineage: between two schemas of PostgreSQL, and a SQLite file', async () => {
    await using server = await PostgresServer.start()
    await using folder = await scratchFolder()
    const schema = (name: string): Ground => ({
      name,
      isShared: true,
      makeStore: () => new PostgresStore(storeOptions(server, { schema: name })),
    })
    const [one, two] = [schema('one'), schema('two')]
    const file: Ground = {
      name: 'sqlite',
      isShared: false,
      makeStore: () => new SqliteStore({ path: `${folder.path}/coordinator.db` }),
    }
    const { reports } = await runCutovers({ path: [one, two, one, file, two] })
    expect(reports.every(({ resumed }) => !resumed)).toBe(true)
  }, 120_000)
})
