import { DatabaseSync } from 'node:sqlite'
import { expect, it } from 'vitest'
import { runMigrations } from '../../src/database/migrations/runner.ts'
import {
  checkSchema,
  readLedger,
  sqliteExecutor,
  sqliteMigrations,
} from '../../src/database/sqlite/migrator.ts'
import { nextDigest } from '../../src/records/digest.ts'
import { put } from '../conformance/build.ts'
import { accepted, Caller, loadAll, recordsAsOf } from '../conformance/caller.ts'
import { inFolder } from './in-folder.ts'

const lineage = '0c9f1ff4-7a64-4d35-9b0a-5a3f6f0f3f3e'
const ancestor = '7e0c0c51-3c2e-4a44-8f4b-0d6a5e1f2b3c'
const commitId = '11111111-1111-4111-8111-111111111111'
const digest = nextDigest(lineage, commitId)

/** What the program of schema 2 leaves after one commit. */
const filling = `
  insert into head (one, lineage, revision, digest, at, floor, swept, first_revision, first_digest, access_version, ancestors)
    values (1, '${lineage}', 1, '${digest}', 5, 0, 0, 0, '${lineage}', 'a', '["${ancestor}"]');
  insert into records values ('service', 'a', '{"serviceName":"cart"}', 1, 5, 5);
  insert into journal values (1, '${commitId}', 5, 'old', 'print', '${digest}', 1);
  insert into writes values (1, 'service', 'a', 0, '{"serviceName":"cart"}', 0, 0, 5);
`

it(
  'sqlite: a file of schema 2 is migrated with its data, open for writes, and then shuts out programs that do not know modes',
  inFolder(async ({ file, store }) => {
    const old = new DatabaseSync(file())
    await runMigrations(sqliteMigrations.slice(0, 2), sqliteExecutor(old, file()))
    old.exec(filling)
    old.close()

    const owner = store()
    expect(await owner.open()).toEqual({
      position: { lineage, revision: 1, digest },
      ...{ floor: 0, at: 5, accessVersion: 'a', ancestors: [ancestor], mode: 'open' },
    })
    expect(await owner.migrator.verify()).toEqual([])
    const record = { kind: 'service', id: 'a', data: '{"serviceName":"cart"}', revision: 1 }
    expect((await loadAll(owner)).records).toEqual([{ ...record, createdAt: 5, updatedAt: 5 }])
    expect((await recordsAsOf(owner, { at: 0 })).records).toEqual([])
    expect(await owner.changes({ lineage, revision: 0, digest: lineage }, 10)).toMatchObject({
      status: 'ok',
      entries: [{ commitId, fingerprint: 'print' }],
      mode: 'open',
    })
    // It holds a history, which no other one replaces.
    for (const mode of ['seeding', 'copy'] as const)
      await expect(owner.setMode('open', mode)).rejects.toMatchObject({ code: 'COORD_STORE_NOT_EMPTY' })
    accepted(await (await Caller.at(owner)).write(put('b')))
    expect(await owner.setMode('open', 'frozen')).toMatchObject({ mode: 'frozen' })
    await owner.close()

    const database = new DatabaseSync(file(), { readOnly: true })
    const ledger = readLedger(database)
    expect(ledger.map(({ version, oldestWriter }) => [version, oldestWriter])).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
    ])
    expect(() => checkSchema(ledger, file(), true)).not.toThrow()
    database.close()
  }),
)
