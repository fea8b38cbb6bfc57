import { existsSync, readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { checksumOf, loadMigrations } from '../../src/database/migrations/migration.ts'
import { runMigrations } from '../../src/database/migrations/runner.ts'
import { sqliteExecutor } from '../../src/database/sqlite/migrator.ts'
import { put } from '../conformance/build.ts'
import { accepted, Caller } from '../conformance/caller.ts'
import { type Folder, inFolder } from './in-folder.ts'

const target = loadMigrations('sqlite').length

function change({ file }: Folder, sql: string): void {
  const database = new DatabaseSync(file())
  database.exec(sql)
  database.close()
}

/** Makes the file look as a newer program leaves it, which lets programs of a schema number still write. */
async function madeByNewerProgram(folder: Folder, oldestWriter: number): Promise<void> {
  const first = folder.store()
  await first.open()
  await (await Caller.at(first)).write(put('a'))
  await first.close()
  change(
    folder,
    `insert into migrations values (${target + 1}, 'future', 'f00d', 'select 1', ${oldestWriter}, 1);
     alter table records add column note text`,
  )
}

describe('sqlite: schema', () => {
  it(
    'is made at the first open; status tells what ran',
    inFolder(async ({ file, store }) => {
      const owner = store()
      expect(await owner.migrator.status()).toMatchObject({ current: 0, target })
      expect(existsSync(file())).toBe(false)
      await owner.open()
      const report = await owner.migrator.status()
      expect(report.current).toBe(target)
      expect(report.steps.map(({ state }) => state)).toEqual(Array.from({ length: target }, () => 'applied'))
      expect(report.steps[0]?.appliedAt).toBeGreaterThan(Date.now() - 60_000)
      expect(await owner.migrator.verify()).toEqual([])
    }),
  )

  it(
    'is tried out by a dry run, which leaves no file',
    inFolder(async ({ file, store }) => {
      const owner = store()
      const report = await owner.migrator.migrate({ dryRun: true })
      expect(report.steps.map(({ state }) => state)).toEqual(Array.from({ length: target }, () => 'pending'))
      expect(existsSync(file())).toBe(false)
      expect((await owner.migrator.migrate()).current).toBe(target)
      expect(existsSync(file())).toBe(true)
      expect((await owner.open()).position.revision).toBe(0)
    }),
  )

  it(
    'that is missing ends the open with exit code 78 where AUTO_MIGRATE is off, and makes no file',
    inFolder(async ({ file, store }) => {
      const owner = store({ autoMigrate: false })
      await expect(owner.open()).rejects.toMatchObject({
        ...{ code: 'COORD_SCHEMA_OLD', exitCode: 78 },
        message: expect.stringMatching(/ is not there, or is empty\.$/),
        hint: expect.stringContaining('Check the path in DATABASE_URL.'),
      })
      expect(existsSync(file())).toBe(false)
      await owner.migrator.migrate()
      expect((await owner.open()).position.revision).toBe(0)
    }),
  )

  it(
    'of a newer program that shuts this one out ends the open with exit code 78, the file unharmed',
    inFolder(async (folder) => {
      await madeByNewerProgram(folder, target + 1)
      const before = readFileSync(folder.file())
      const owner = folder.store()
      await expect(owner.open()).rejects.toMatchObject({ code: 'COORD_SCHEMA_NEWER', exitCode: 78 })
      await expect(owner.migrator.migrate()).rejects.toMatchObject({ code: 'COORD_SCHEMA_NEWER' })
      expect(await owner.migrator.status()).toMatchObject({ current: target + 1, target })
      await owner.close()
      expect(readFileSync(folder.file()).equals(before)).toBe(true)
    }),
  )

  it(
    'of a newer program that still lets this one write is used as it is',
    inFolder(async (folder) => {
      await madeByNewerProgram(folder, target)
      const owner = folder.store()
      expect((await owner.open()).position.revision).toBe(1)
      expect(accepted(await (await Caller.at(owner)).write(put('b'))).revision).toBe(2)
      const { steps } = await owner.migrator.status()
      expect(steps.at(-1)).toMatchObject({ version: target + 1, name: 'future', state: 'unknown' })
    }),
  )

  it(
    'made from another text than this program brings is a warning with the difference, and opens',
    inFolder(async (folder) => {
      await folder.store().migrator.migrate()
      const other = `-- an older text\n${loadMigrations('sqlite')[0]?.sql}`
      const database = new DatabaseSync(folder.file())
      database
        .prepare('update migrations set sql = ?, checksum = ? where version = 1')
        .run(other, checksumOf(other))
      database.close()
      const warnings: string[] = []
      const owner = folder.store({ onWarning: (warning) => warnings.push(warning) })
      expect((await owner.open()).position.revision).toBe(0)
      expect(warnings).toHaveLength(1)
      expect(warnings[0]).toContain('- -- an older text')
      expect((await owner.migrator.status()).steps[0]).toMatchObject({ state: 'changed' })
    }),
  )

  it(
    'is made once when two stores start at the same time; one of them is refused, or finds it there',
    inFolder(async ({ file, store }) => {
      const starters = [store({ lockTimeoutMs: 10_000 }), store({ lockTimeoutMs: 10_000 })]
      const reports = await Promise.all(starters.map(({ migrator }) => migrator.migrate()))
      expect(reports.map(({ current }) => current)).toEqual([target, target])
      const database = new DatabaseSync(file())
      expect(database.prepare('select count(*) as count from migrations').get()).toEqual({ count: target })
      database.close()
    }),
  )

  it(
    'keeps nothing of a migration that fails',
    inFolder(async (folder) => {
      await folder.store().migrator.migrate()
      const database = new DatabaseSync(folder.file())
      const sql = 'create table extra (a); create table extra (a)'
      const broken = { version: target + 1, name: 'broken', sql, checksum: checksumOf(sql), oldestWriter: 1 }
      const migrations = [...loadMigrations('sqlite'), broken]
      for (const dryRun of [true, false])
        await expect(
          runMigrations(migrations, sqliteExecutor(database, folder.file()), { dryRun }),
        ).rejects.toMatchObject({ code: 'COORD_STORE_FAULT' })
      expect(database.isTransaction).toBe(false)
      expect(database.prepare(`select 1 from sqlite_schema where name = 'extra'`).get()).toBeUndefined()
      expect(database.prepare('select max(version) as version from migrations').get()).toEqual({
        version: target,
      })
      database.close()
      expect(await folder.store().migrator.verify()).toEqual([])
    }),
  )

  it(
    'can be looked at, and compared, while another process uses the file',
    inFolder(async ({ store }) => {
      await store().open()
      const onlooker = store()
      expect((await onlooker.migrator.status()).current).toBe(target)
      expect(await onlooker.migrator.verify()).toEqual([])
      await expect(onlooker.migrator.migrate()).rejects.toMatchObject({ code: 'COORD_STORE_LOCKED' })
    }),
  )

  it(
    'is compared with what it should be; what holds no data comes with the SQL that mends it',
    inFolder(async (folder) => {
      await folder.store().migrator.migrate()
      change(
        folder,
        `create index slow on writes (kind); create table notes (a); create trigger t after insert on notes begin select 1; end;
         alter table head add column extra text; drop table writes`,
      )
      const drifts = await folder.store().migrator.verify()
      expect(new Map(drifts.map(({ object, problem }) => [object, problem]))).toEqual(
        new Map([
          ['table writes', 'missing'],
          ['table head', 'different'],
          ['table notes', 'unexpected'],
          ['trigger t', 'unexpected'],
        ]),
      )
      change(folder, drifts.map(({ repair }) => repair).join('\n'))
      const left = await folder.store().migrator.verify()
      expect(left.map(({ object, repair }) => [object, repair])).toEqual([
        ['table head', ''],
        ['table notes', ''],
      ])
    }),
  )
})
