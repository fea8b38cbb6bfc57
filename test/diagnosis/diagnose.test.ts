import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { diagnose } from '../../src/database/diagnosis/diagnose.ts'
import type { Finding } from '../../src/database/diagnosis/finding.ts'
import { MemoryStore } from '../../src/database/memory/store.ts'
import { PostgresStore } from '../../src/database/postgres/store.ts'
import { SqliteStore } from '../../src/database/sqlite/store.ts'
import type { Inspector, Store } from '../../src/database/store.ts'
import { SupabaseStore } from '../../src/database/supabase/store.ts'
import { storeOptions } from '../support/backends/postgres.ts'
import { SupabaseProject } from '../support/supabase.ts'

async function findingsOf(store: Store): Promise<Finding[]> {
  const findings: Finding[] = []
  try {
    for await (const finding of diagnose(store)) findings.push(finding)
  } finally {
    await store.close()
  }
  return findings
}

const flawsOf = (findings: readonly Finding[]) =>
  findings.filter(({ state }) => state !== 'ok').map(({ check, state }) => `${check}: ${state}`)

function scratchFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'coordinator-doctor-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return join(folder, 'coordinator.db')
}

describe('memory', () => {
  it('has nothing that could be wrong', async () => {
    expect(flawsOf(await findingsOf(new MemoryStore()))).toEqual([])
  })
})

describe('a server that answers slowly', () => {
  it.each([
    [[900, 3, 1], [900, 3], []],
    [[900, 800, 2], [900, 800, 2], []],
    [[900, 800, 700, 1], [900, 800, 700], ['latency: warning']],
    [[3, 900], [3], []],
  ])('is asked again: %j', async (roundTrips, asked, flaws) => {
    const path = scratchFile()
    const maker = new SqliteStore({ path })
    await maker.open()
    await maker.close()
    const given: number[] = []
    const inspect: Inspector['inspect'] = async () => {
      const roundTripMs = roundTrips[given.length] ?? 0
      given.push(roundTripMs)
      return { serverVersion: '3', schemaVersion: 1, details: { roundTripMs } }
    }
    const store = Object.assign(new SqliteStore({ path, autoMigrate: false }), { inspector: { inspect } })
    expect(flawsOf(await findingsOf(store))).toEqual(flaws)
    expect(given).toEqual(asked)
  })
})

describe('sqlite', () => {
  it('misses a schema in a new file, names the command, and looks no further', async () => {
    const findings = await findingsOf(new SqliteStore({ path: scratchFile(), autoMigrate: false }))
    expect(findings.map(({ check, state, repair }) => [check, state, repair])).toEqual([
      ['connection', 'ok', undefined],
      ['schema', 'problem', 'Run `coordinator migrate`.'],
    ])
  })

  it('finds nothing wrong with a file that a coordinator made', async () => {
    const path = scratchFile()
    const maker = new SqliteStore({ path })
    await maker.open()
    await maker.close()
    const findings = await findingsOf(new SqliteStore({ path, autoMigrate: false }))
    expect(flawsOf(findings)).toEqual([])
    expect(findings.map(({ check }) => check)).toEqual(
      expect.arrayContaining(['writing', 'durability', 'drift']),
    )
  })

  it('names the coordinator that has the file as the problem', async () => {
    const path = scratchFile()
    const owner = new SqliteStore({ path })
    await owner.open()
    onTestFinished(() => owner.close())
    const findings = await findingsOf(new SqliteStore({ path, autoMigrate: false }))
    expect(findings.at(-1)).toMatchObject({
      state: 'problem',
      found: expect.stringContaining('COORD_STORE_LOCKED'),
      repair: 'A coordinator uses this file. Stop it, then run the command again.',
    })
  })
})

describe('postgres and supabase', () => {
  let project: SupabaseProject
  beforeAll(async () => {
    project = await SupabaseProject.start({ config: { fsync: 'on' }, prepare: 'create role plain' })
    // This Data API server refuses the very first call of a role that it has just made.
    const store = new SupabaseStore(project.options())
    await store.open()
    await store.close()
  })
  afterAll(() => project.dispose())

  const wire = (schema = 'coordinator') =>
    new PostgresStore({ ...storeOptions(project.server, { schema }), autoMigrate: false })

  it('finds nothing wrong with a migrated schema, by wire and by the Data API', async () => {
    expect(flawsOf(await findingsOf(wire()))).toEqual([])
    const byApi = await findingsOf(new SupabaseStore(project.options()))
    expect(flawsOf(byApi)).toEqual([])
    // Between this program and the Data API: what the database sees is the way behind that.
    const tls = { check: 'tls', found: 'The connection is not encrypted, and stays on this machine.' }
    expect(byApi).toContainEqual({ state: 'ok', ...tls })
  })

  it('examines what a public key may ask, once it was allowed on purpose', async () => {
    const anon = () => new SupabaseStore(project.options({ access: 'anon' }))
    expect(flawsOf(await findingsOf(anon()))).toEqual(['schema: warning', 'reading: problem'])
    const owner = wire()
    await owner.migrator.allowAnon()
    expect(flawsOf(await findingsOf(wire()))).toEqual(['rights: warning'])
    const findings = await findingsOf(anon())
    expect(flawsOf(findings)).toEqual([
      'schema: warning',
      'inspection: warning',
      'records: warning',
      'tokens: warning',
      'drift: warning',
    ])
    expect(findings).toContainEqual(expect.objectContaining({ check: 'writing', state: 'ok' }))
    await owner.migrator.forbidAnon()
    await owner.close()
    expect(flawsOf(await findingsOf(wire()))).toEqual([])
  })

  it('names the command where the schema is missing, by wire and by the Data API', async () => {
    const [connection, schema] = await findingsOf(wire('elsewhere'))
    expect(connection).toMatchObject({ check: 'connection', state: 'ok' })
    expect(schema).toMatchObject({ check: 'schema', state: 'problem', repair: 'Run `coordinator migrate`.' })
    const [api] = await findingsOf(new SupabaseStore(project.options({ schema: 'elsewhere' })))
    expect(api).toMatchObject({ state: 'problem', repair: expect.stringContaining('--emit supabase') })
  })

  it('warns of a schema that is newer, and prints nothing that would take back what is new', async () => {
    const { server } = project
    const recent = new PostgresStore(storeOptions(server, { schema: 'recent' }))
    await recent.open()
    await recent.close()
    await server.query(`insert into recent.migrations values (99, 'later', 'x', 'select 1');
      alter table recent.records add constraint new check (true)`)
    const findings = await findingsOf(wire('recent'))
    expect(flawsOf(findings)).toEqual(['schema: warning'])
    expect(findings).toContainEqual(
      expect.objectContaining({ check: 'schema', repair: expect.stringContaining('Upgrade') }),
    )
  })

  it('prints the SQL that brings a dropped index back', async () => {
    await project.server.query('drop index coordinator.journal_commit_ids')
    const drift = (await findingsOf(wire())).filter(({ check }) => check === 'drift')
    expect(drift).toMatchObject([{ state: 'problem', found: 'index journal_commit_ids is missing.' }])
    await project.server.query(drift[0]?.repair ?? '')
    expect(flawsOf(await findingsOf(wire()))).toEqual([])
  })

  it.each([
    ['a function that reading needs was dropped', 'drop function plain.stored_head() cascade'],
    ['row security hides the rows from the owner too', 'alter table plain.journal force row level security'],
  ])('prints the SQL that mends it where %s', async (_what, damage) => {
    const { server } = project
    await server.query(`drop schema if exists plain cascade; drop owned by plain; drop role plain;
      create role plain login; create schema plain authorization plain; grant create on schema public to plain`)
    const plain = (autoMigrate: boolean) =>
      new PostgresStore({ ...storeOptions(server, { schema: 'plain', role: 'plain' }), autoMigrate })
    const owner = plain(true)
    await owner.open()
    await owner.close()
    await server.query(damage)
    const findings = await findingsOf(plain(false))
    expect(flawsOf(findings)).toEqual(['reading: problem', 'drift: problem'])
    await server.query(findings.at(-1)?.repair ?? '', 'postgres', 'plain')
    expect(flawsOf(await findingsOf(plain(false)))).toEqual([])
  })

  it('takes a server that does not flush for a problem', async () => {
    project.server.configure({ fsync: 'off' })
    project.server.reload()
    await expect.poll(async () => flawsOf(await findingsOf(wire()))).toEqual(['durability: problem'])
  })

  it('says that nobody answers, and never what the password is', async () => {
    const options = storeOptions(project.server, { schema: 'coordinator' })
    const target = { ...options.target, hosts: [{ host: '127.0.0.1', port: 1 }] }
    const findings = await findingsOf(new PostgresStore({ ...options, target, autoMigrate: false }))
    expect(findings).toHaveLength(1)
    expect(findings[0]).toMatchObject({ check: 'connection', state: 'problem' })
    expect(findings[0]?.repair).toContain('DATABASE_URL')
  })
})
