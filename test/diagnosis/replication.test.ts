import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { Secret } from '../../src/config/secret.ts'
import { diagnose } from '../../src/database/diagnosis/diagnose.ts'
import { type ClusterFacts, findReplication } from '../../src/database/diagnosis/find-replication.ts'
import type { Finding } from '../../src/database/diagnosis/finding.ts'
import { PostgresStore } from '../../src/database/postgres/store.ts'
import { SupabaseStore } from '../../src/database/supabase/store.ts'
import { runCoordinator } from '../main/coordinator-process.ts'
import { storeOptions } from '../support/backends/postgres.ts'
import { PostgresServer } from '../support/postgres.ts'

const cluster: ClusterFacts = {
  isSynchronous: true,
  hosts: 1,
  failoverMs: 30_000,
  commitTimeoutMs: 35_000,
}

async function findingsOf(url: { role?: string }, facts = cluster): Promise<readonly Finding[]> {
  const store = new PostgresStore({ ...storeOptions(primary, url), autoMigrate: false })
  try {
    return await Array.fromAsync(diagnose(store, { cluster: facts }))
  } finally {
    await store.close()
  }
}

async function about(check: string, url: { role?: string } = {}): Promise<Finding | undefined> {
  return (await findingsOf(url)).find((finding) => finding.check === check)
}

let primary: PostgresServer
let standby: PostgresServer

beforeAll(async () => {
  primary = await PostgresServer.start()
  const store = new PostgresStore(storeOptions(primary))
  await store.open()
  await store.close()
  await primary.query(`create role app login; create role watcher login; grant pg_read_all_stats to watcher;
    grant usage on schema coordinator to app, watcher;
    grant select, insert, update, delete on all tables in schema coordinator to app, watcher;
    grant execute on all functions in schema coordinator to app, watcher;
    alter role app bypassrls; alter role watcher bypassrls`)
  standby = await primary.standby()
})
afterAll(async () => {
  await standby.dispose()
  await primary.dispose()
})

/** Sets settings of the primary, and waits until it has them. `''` is the default. */
async function configure(config: Readonly<Record<string, string>>): Promise<void> {
  primary.configure(config)
  primary.reload()
  await vi.waitFor(
    async () => {
      for (const [name, value] of Object.entries(config))
        expect(await primary.query(`select current_setting('${name}') as value`)).toEqual([{ value }])
    },
    { timeout: 30_000 },
  )
}

async function makeSynchronous(names = 'standby'): Promise<void> {
  await configure({ synchronous_standby_names: names })
  const states = () => primary.query('select sync_state from pg_stat_replication')
  const expected = names.startsWith('ANY') ? 'quorum' : 'sync'
  await vi.waitFor(async () => expect(await states()).toEqual([{ sync_state: expected }]), {
    timeout: 30_000,
  })
}

afterEach(async () => {
  standby.resume()
  await configure({ synchronous_standby_names: '', synchronous_commit: 'on' })
})

describe('a synchronous standby that somebody expects', () => {
  it('is missed where commits wait for none', async () => {
    expect(await about('synchronous standby')).toMatchObject({
      state: 'problem',
      found: expect.stringContaining('synchronous_standby_names is empty'),
      repair: expect.stringContaining('synchronous_mode: true'),
    })
  })

  it.each([
    ['standby', 'Commits wait for standby (sync).'],
    ['ANY 1 (standby)', 'Commits wait for standby (quorum).'],
  ])('is found where it is: %s', async (names, found) => {
    await makeSynchronous(names)
    expect(await about('synchronous standby')).toEqual({ check: 'synchronous standby', state: 'ok', found })
    expect(await about('synchronous commit')).toBeUndefined()
  })

  it('is missed where another one is named, and the failed write says what to look at', async () => {
    await configure({ synchronous_standby_names: 'elsewhere' })
    const store = new PostgresStore({
      ...storeOptions(primary, { callTimeoutMs: 2_500 }),
      autoMigrate: false,
    })
    const findings = await Array.fromAsync(diagnose(store, { cluster }))
    await primary.query(`select pg_cancel_backend(pid) from pg_stat_activity where wait_event = 'SyncRep'`)
    await store.close()
    expect(findings).toContainEqual({
      check: 'synchronous standby',
      state: 'problem',
      found: 'Commits wait for elsewhere, and no such standby is connected, only standby (async).',
      repair: expect.stringContaining('Start that standby'),
    })
    expect(findings.find(({ check }) => check === 'writing')).toMatchObject({
      state: 'problem',
      found: expect.stringContaining('COORD_STORE_UNREPLICATED'),
      repair: expect.stringContaining('pg_stat_replication'),
    })
    // The write of this examination still waits: nobody is told to end it.
    expect(findings.filter(({ check }) => check === 'writers')).toMatchObject([
      { state: 'problem', found: expect.stringMatching(/that wait for it: \d+\.$/) },
    ])
  })

  it('cannot be seen without the right, whose grant is named, and can be seen with it', async () => {
    await makeSynchronous()
    const blind = await about('synchronous standby', { role: 'app' })
    expect(blind).toMatchObject({
      state: 'warning',
      repair: 'As a superuser run `grant pg_read_all_stats to app`.',
    })
    expect(await about('synchronous standby', { role: 'watcher' })).toMatchObject({ state: 'ok' })
    await primary.query('grant pg_read_all_stats to app')
    expect(await about('synchronous standby', { role: 'app' })).toMatchObject({ state: 'ok' })
    await primary.query('revoke pg_read_all_stats from app')
  })

  it.each([
    [
      'role',
      'alter role postgres set synchronous_commit = local',
      'alter role postgres reset synchronous_commit',
    ],
    [
      'database',
      'alter database postgres set synchronous_commit = off',
      'alter database postgres reset synchronous_commit',
    ],
    [
      'role in a database',
      'alter role postgres in database postgres set synchronous_commit = local',
      'alter role postgres in database postgres reset synchronous_commit',
    ],
  ])('is not waited for by sessions of a %s, which the repair ends', async (_, plant, repair) => {
    await makeSynchronous()
    await primary.query(plant)
    expect(await about('synchronous commit')).toMatchObject({
      state: 'warning',
      repair: `Run \`${repair}\`.`,
    })
    await primary.query(repair)
    expect(await about('synchronous commit')).toBeUndefined()
  })

  it('is not waited for by a server with synchronous_commit=off', async () => {
    await makeSynchronous()
    await configure({ synchronous_commit: 'off' })
    expect((await about('synchronous commit'))?.repair).toContain('alter system set synchronous_commit = on')
  })

  it('is nothing that the Data API can tell', async () => {
    const target = {
      backend: 'supabase',
      url: 'http://127.0.0.1:9',
      access: 'service',
      key: new Secret('key'),
      keyKind: 'secret',
      keyVariable: 'SUPABASE_SERVICE_ROLE_KEY',
    } as const
    const store = new SupabaseStore({ target })
    const [, finding] = await findReplication(store.inspector, cluster)
    await store.close()
    expect(finding).toMatchObject({ state: 'warning', repair: expect.stringContaining('DATABASE_URL') })
  })
})

describe('nobody expects a synchronous standby', () => {
  it('so none is missed, and no time is compared', async () => {
    const findings = await findingsOf({}, { ...cluster, isSynchronous: false, commitTimeoutMs: 10_000 })
    const checks = findings.map(({ check }) => check)
    expect(checks).not.toContain('synchronous standby')
    expect(checks).not.toContain('failover')
  })
})

describe('the time of a write', () => {
  const judged = async (facts: Partial<ClusterFacts>) => {
    const [finding] = await findReplication({}, { ...cluster, isSynchronous: false, ...facts })
    return finding
  }

  it.each([
    [{ hosts: 3, commitTimeoutMs: 34_999 }, 'warning'],
    [{ hosts: 3, commitTimeoutMs: 35_000 }, 'ok'],
    [{ isSynchronous: true, commitTimeoutMs: 34_999 }, 'warning'],
    [{ isSynchronous: true, failoverMs: 5_000, commitTimeoutMs: 10_000 }, 'ok'],
  ] as const)('has to be longer than a failover: %j', async (facts, state) => {
    expect(await judged(facts)).toMatchObject({ check: 'failover', state })
  })

  it('is not compared where there is one server', async () => {
    expect(await judged({ hosts: 1, commitTimeoutMs: 100 })).toBeUndefined()
  })

  it('is named with the value to set', async () => {
    expect((await judged({ hosts: 2, failoverMs: 20_000, commitTimeoutMs: 10_000 }))?.repair).toContain(
      'COMMIT_TIMEOUT_MS=25000',
    )
  })
})

describe('coordinator doctor', () => {
  it('finds what the settings expect of the database', async () => {
    const hosts = `postgres://postgres@127.0.0.1:${primary.port},127.0.0.1:${standby.port}/postgres?sslmode=disable`
    const doctor = (env: Readonly<Record<string, string>>) =>
      runCoordinator(['doctor', '--json'], { env: { DATABASE_URL: hosts, ...env } })
    const stateOf = (output: string, name: string) =>
      (JSON.parse(output) as { findings: Finding[] }).findings.find(({ check }) => check === name)?.state
    const plain = await doctor({})
    expect([stateOf(plain.stdout, 'failover'), stateOf(plain.stdout, 'synchronous standby')]).toEqual([
      'warning',
      undefined,
    ])
    const expected = await doctor({ EXPECT_SYNC_STANDBY: 'true', COMMIT_TIMEOUT_MS: '60000' })
    expect(expected.code).toBe(1)
    expect([stateOf(expected.stdout, 'failover'), stateOf(expected.stdout, 'synchronous standby')]).toEqual([
      'ok',
      'problem',
    ])
  })
})
