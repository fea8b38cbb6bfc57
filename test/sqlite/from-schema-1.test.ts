import { DatabaseSync } from 'node:sqlite'
import { expect, it } from 'vitest'
import { runMigrations } from '../../src/database/migrations/runner.ts'
import { readLedger, sqliteExecutor, sqliteMigrations } from '../../src/database/sqlite/migrator.ts'
import { nextDigest } from '../../src/records/digest.ts'
import { put } from '../conformance/build.ts'
import { accepted, Caller, loadAll } from '../conformance/caller.ts'
import { inFolder } from './in-folder.ts'

const lineage = '0c9f1ff4-7a64-4d35-9b0a-5a3f6f0f3f3e'
const commitId = '11111111-1111-4111-8111-111111111111'
const digest = nextDigest(lineage, commitId)

/** What the program of schema 1 leaves after one commit. */
const filling = `
  insert into head (one, lineage, revision, digest, at, floor, swept, first_revision, first_digest, access_version)
    values (1, '${lineage}', 1, '${digest}', 5, 0, 0, 0, '${lineage}', 'a');
  insert into records values ('service', 'a', '{"serviceName":"cart"}', 1, 5, 5);
  insert into journal values (1, '${commitId}', 5, 'old', null, '${digest}', 1);
  insert into writes values (1, 'service', 'a', 0, '{"serviceName":"cart"}', 0, 0, 5);
`

it(
  'sqlite: a file of schema 1 is migrated with its data, and then shuts out programs that do not know namespaces',
  inFolder(async ({ file, store }) => {
    const old = new DatabaseSync(file())
    await runMigrations(sqliteMigrations.slice(0, 1), sqliteExecutor(old, file()))
    old.exec(filling)
    old.close()

    const owner = store()
    expect(await owner.open()).toMatchObject({
      position: { lineage, revision: 1, digest },
      floor: 0,
      at: 5,
      accessVersion: 'a',
      ancestors: [],
      mode: 'open',
    })
    expect(await owner.migrator.verify()).toEqual([])
    expect((await loadAll(owner)).records).toEqual([
      { kind: 'service', id: 'a', data: '{"serviceName":"cart"}', revision: 1, createdAt: 5, updatedAt: 5 },
    ])
    const start = { lineage, revision: 0, digest: lineage }
    expect(await owner.changes(start, 10)).toMatchObject({ status: 'ok', entries: [{ commitId }] })
    accepted(await (await Caller.at(owner)).write(put('b')))
    expect((await owner.fork((await owner.head()).position)).ancestors).toEqual([lineage])
    await owner.close()

    const database = new DatabaseSync(file(), { readOnly: true })
    // A program refuses a file if a migration that it does not know names an oldest writer above its own number.
    expect(readLedger(database).map(({ version, oldestWriter }) => [version, oldestWriter])).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
    ])
    database.close()
  }),
)
