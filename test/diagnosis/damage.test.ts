import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { diagnose } from '../../src/database/diagnosis/diagnose.ts'
import type { Finding } from '../../src/database/diagnosis/finding.ts'
import { PostgresStore } from '../../src/database/postgres/store.ts'
import { SqliteStore } from '../../src/database/sqlite/store.ts'
import type { Store } from '../../src/database/store.ts'
import { SupabaseStore } from '../../src/database/supabase/store.ts'
import { commitOf, idsOf, put, remove } from '../conformance/build.ts'
import { Caller } from '../conformance/caller.ts'
import { ask, type Env, registration, scratchFolder, serving } from '../main/coordinator-process.ts'
import { storeOptions } from '../support/backends/postgres.ts'
import { SupabaseProject } from '../support/supabase.ts'

/** What somebody did behind the journal, in SQL of both dialects, and what is said about it. */
interface Act {
  readonly title: string
  readonly postgres: string
  readonly sqlite: string
  readonly found: RegExp
  /** What the first repair begins with, where another one would lose something. */
  readonly repair?: RegExp
  /** Whether the store refuses to be opened because of it. */
  readonly refused: boolean
  /** Whether the repair in SQL makes all of it good. */
  readonly mends: boolean
}

/** The head of a schema that was just created. */
const freshHead = {
  postgres: `update S.head set lineage = f.lineage, digest = f.lineage::text, first_digest = f.lineage::text, revision = 0, floor = 0,
    swept = 0 from (select gen_random_uuid() as lineage) f where id = 1`,
  sqlite: `update head set lineage = 'a', digest = 'a', first_digest = 'a', revision = 0, floor = 0, swept = 0`,
}

const acts: readonly Act[] = [
  {
    title: 'an entry of the journal was deleted',
    postgres: 'delete from S.journal where revision = 25',
    sqlite: 'delete from journal where revision = 25; delete from writes where revision = 25',
    found: /^Revision 25 is missing from the journal\.$/,
    refused: false,
    mends: true,
  },
  {
    title: 'a record was altered',
    postgres: `update S.records set data = '{"v": 99}' where id = 'r07'`,
    sqlite: `update records set data = '{"v":99}' where id = 'r07'`,
    found: /^The record service "r07" differs from what revision \d+ wrote\.$/,
    refused: false,
    mends: true,
  },
  {
    title: 'a record was deleted',
    postgres: `delete from S.records where id = 'r19'`,
    sqlite: `delete from records where id = 'r19'`,
    found: /^The record service "r19" is missing or older than what revision \d+ wrote\.$/,
    refused: false,
    mends: true,
  },
  {
    title: 'a deleted record was put back',
    postgres: `insert into S.records select kind, id, '{}', revision, 1, 1 from S.tombstones where id = 'r09';
      delete from S.tombstones where id = 'r09'`,
    sqlite: `update records set data = '{}' where id = 'r09'`,
    found: /^The record service "r09" differs from what revision \d+ wrote\.$/,
    refused: false,
    mends: true,
  },
  {
    title: 'the head was lowered by one',
    postgres: 'update S.head set revision = revision - 1 where id = 1',
    sqlite: 'update head set revision = revision - 1',
    found:
      /^The head is at revision 49, which does not match the journal: the journal ends at revision 50\.$/,
    refused: true,
    mends: true,
  },
  {
    title: 'the newest entry was deleted',
    postgres: 'delete from S.journal where revision = 50',
    sqlite: 'delete from journal where revision = 50; delete from writes where revision = 50',
    found:
      /^The head is at revision 50, which does not match the journal: the journal ends at revision 49\.$/,
    repair: /^Restore the last backup, /,
    refused: true,
    mends: true,
  },
  {
    title: 'everything but the head was restored',
    postgres: freshHead.postgres,
    sqlite: freshHead.sqlite,
    found: /^The head is at revision 0, which does not match the journal: the journal ends at revision 50\.$/,
    repair: /^Run `coordinator after-restore`\. It sets the head to the end of what is stored\.$/,
    refused: true,
    mends: true,
  },
  {
    title: 'only the records were restored',
    postgres: `${freshHead.postgres}; truncate S.journal; truncate S.tombstones`,
    sqlite: `${freshHead.sqlite}; delete from journal; delete from writes; delete from records where data is null`,
    found: /^The record service "r07" has revision 48, which is newer than the head\.$/,
    refused: true,
    mends: true,
  },
  {
    title: 'the row of the head was deleted',
    postgres: 'delete from S.head',
    sqlite: 'delete from head',
    found: /^COORD_STORE_DAMAGED: .*the row of the table head .*is missing/,
    refused: true,
    mends: true,
  },
  {
    title: 'everything was deleted but the head',
    postgres: 'truncate S.journal; truncate S.records; truncate S.tombstones',
    sqlite: 'delete from journal; delete from writes; delete from records',
    found: /^The head is at revision 50, which does not match the journal: the journal has no entry\.$/,
    refused: true,
    mends: true,
  },
]

/** 20 records, each written twice, 10 of them deleted; the history begins at revision 15. */
async function fill(store: Store): Promise<void> {
  const { position } = await store.open()
  const caller = new Caller(store, position)
  const ids = idsOf('r', 20)
  await caller.send(...ids.map((id) => commitOf(put(id))))
  await caller.send(...ids.map((id) => commitOf(put(id, { v: 2 }))))
  await caller.send(...ids.slice(0, 10).map((id) => commitOf(id === 'r07' ? put(id, { v: 3 }) : remove(id))))
  await store.compact(15)
  await store.close()
}

async function flawsOf(store: Store): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  for await (const finding of diagnose(store)) findings.push(finding)
  await store.close()
  return findings.filter(({ state }) => state !== 'ok')
}

/** Does what the first finding says: runs the command, or the SQL of all. */
async function mend(flaws: readonly Finding[], store: Store, run: (sql: string) => unknown): Promise<void> {
  const [first] = flaws
  if (first === undefined || sqlOf(first) === '') await store.mendHead?.()
  else for (const flaw of flaws) await run(sqlOf(flaw))
  await store.close()
}

/** The SQL of a repair, without what is said before it. */
const sqlOf = ({ repair = '' }: Finding) => /^(?:do|select|--)[\s\S]*/m.exec(repair)?.[0] ?? ''

/** A coordinator on the damaged database says what is wrong, wherever it is asked. */
async function expectTold(env: Env, { found, refused }: Act, behind?: () => Promise<void>): Promise<void> {
  await using coordinator = await serving({ env })
  await behind?.()
  const database = async () => (await ask(`${coordinator.url}/database`)).body
  await expect.poll(async () => (await database()).code, { interval: 50 }).toBe('COORD_STORE_DAMAGED')
  const { body: health, headers } = await ask(`${coordinator.url}/health`)
  expect(headers.get('x-coordinator-degraded')).toBe('COORD_STORE_DAMAGED')
  for (const told of [health.storage, await database()]) {
    expect(told).toMatchObject({ status: 'degraded', code: 'COORD_STORE_DAMAGED' })
    expect(told.repair).not.toBe('')
    if (!refused) expect(told.reason).toMatch(new RegExp(found.source.slice(1, -1)))
  }
  const written = await ask(`${coordinator.url}/register`, 'POST', registration('meanwhile'))
  if (refused) expect(written).toMatchObject({ status: 503, body: { code: 'COORD_STORE_DAMAGED' } })
  else expect(written.status).toBe(201)
  expect((await ask(`${coordinator.url}/health/ready?for=writes`)).status).toBe(refused ? 503 : 200)
}

describe('sqlite', () => {
  const behind = (path: string, sql: string) => {
    const database = new DatabaseSync(path)
    database.exec(sql)
    database.close()
  }

  it.each(acts)('doctor names it where $title, and so does the status', async (act) => {
    await using folder = await scratchFolder()
    const path = `${folder.path}/coordinator.db`
    const doctor = () => flawsOf(new SqliteStore({ path, autoMigrate: false }))
    await fill(new SqliteStore({ path }))
    expect(await doctor()).toEqual([])
    const env = { DATABASE_URL: `sqlite:${path}` }
    // What does not let it start was done while it ran.
    if (act.refused) await expectTold(env, act, async () => behind(path, act.sqlite))
    else behind(path, act.sqlite)
    const flaws = (await doctor()).filter(({ check }) => check === 'records')
    expect(flaws[0]?.found).toMatch(act.found)
    expect(flaws[0]?.repair).toMatch(act.repair ?? /./)
    if (!act.refused) await expectTold(env, act)
    if (!act.mends) return
    await mend(flaws, new SqliteStore({ path }), (sql) => behind(path, sql))
    expect(await doctor()).toEqual([])
  })

  it('doctor says that there is more than it lists, without a number that it has not counted', async () => {
    await using folder = await scratchFolder()
    const path = `${folder.path}/coordinator.db`
    const store = new SqliteStore({ path })
    const caller = new Caller(store, (await store.open()).position)
    await caller.send(...idsOf('r', 60).map((id) => commitOf(put(id))))
    await store.close()
    behind(path, freshHead.sqlite)
    const flaws = await flawsOf(new SqliteStore({ path, autoMigrate: false }))
    expect(flaws.at(-1)?.found).toBe('There are more of these.')
  })
})

describe('postgres and supabase', () => {
  let project: SupabaseProject
  const schemas = acts.map((_, index) => `damaged_${index}`)

  beforeAll(async () => {
    project = await SupabaseProject.start({ schemas, config: { fsync: 'on' } })
  })
  afterAll(() => project.dispose())

  const cases = acts.map((act, index) => ({ ...act, schema: schemas[index] as string }))

  it.each(cases)('doctor names it where $title, and so does the status', async ({ schema, ...act }) => {
    const wire = () => new PostgresStore(storeOptions(project.server, { schema, autoMigrate: false }))
    const api = () => new SupabaseStore(project.options({ schema }))
    const behind = async (sql: string) => {
      await project.server.query(
        `set session_replication_role = replica; ${sql.replaceAll(/\bS\./g, `${schema}.`)}`,
      )
    }
    await fill(new PostgresStore(storeOptions(project.server, { schema })))
    expect(await flawsOf(wire())).toEqual([])
    const env = { DATABASE_URL: project.server.url(), DATABASE_SCHEMA: schema }
    if (act.refused) await expectTold(env, act, () => behind(act.postgres))
    else await behind(act.postgres)
    const records = async (store: Store) => (await flawsOf(store)).filter(({ check }) => check === 'records')
    const flaws = await records(wire())
    expect(flaws[0]?.found).toMatch(act.found)
    expect(flaws[0]?.repair).toMatch(act.repair ?? /./)
    // The Data API does not pass on the texts of errors.
    const same = flaws.map(({ found, ...rest }) => (found.startsWith('COORD_') ? rest : { ...rest, found }))
    expect(await records(api())).toMatchObject(same)
    if (!act.refused) await expectTold(env, act)
    if (!act.mends) return
    await mend(flaws, api(), (sql) => project.server.query(sql))
    expect(await flawsOf(wire())).toEqual([])
  })
})
