import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { diagnose } from '../../src/database/diagnosis/diagnose.ts'
import { findReplicas } from '../../src/database/diagnosis/find-replicas.ts'
import { PostgresStore } from '../../src/database/postgres/store.ts'
import type { ReplicaInspection } from '../../src/database/replicas.ts'
import { CoordinatorError } from '../../src/errors.ts'
import { put } from '../conformance/build.ts'
import { Caller } from '../conformance/caller.ts'
import { runCoordinator } from '../main/coordinator-process.ts'
import { caughtUp, waitFor } from '../postgres/with-replica.ts'
import { storeOptions, targetOf } from '../support/backends/postgres.ts'
import { freePort } from '../support/free-port.ts'
import { PostgresServer } from '../support/postgres.ts'

type Answered = Extract<ReplicaInspection, { readonly failure?: undefined }>

const sound: Answered = {
  host: '10.0.0.2:5432',
  standby: true,
  position: { lineage: 'l', revision: 10, digest: 'd' },
  sameHistory: true,
  lagRevisions: 0,
  keepsOldVersions: true,
  longestReadMs: 30_000,
}

/** @param looks what the replica says each time it is asked; the last one counts for all later ones */
async function found(...looks: readonly ReplicaInspection[]) {
  let asked = 0
  const inspectReplicas = async () => {
    asked += 1
    return [looks[Math.min(asked, looks.length) - 1] as ReplicaInspection]
  }
  const findings = await findReplicas({ inspectReplicas }, ['load', 'asOf', 'history'])
  return { asked, findings, states: findings.map(({ state }) => state) }
}

const at = (revision: number, lagRevisions: number): Answered => ({
  ...sound,
  position: { ...sound.position, revision },
  lagRevisions,
})

describe('a replica', () => {
  it('that is as it should be is named, and asked once', async () => {
    expect(await found(sound)).toMatchObject({
      asked: 1,
      findings: [
        { check: 'replica', state: 'ok', found: 'Replica 0 (10.0.0.2:5432) is a standby, at revision 10.' },
      ],
    })
  })

  it('that is the primary is found, and not what only a standby has', async () => {
    const { findings } = await found({ ...sound, standby: false, keepsOldVersions: false })
    expect(findings).toHaveLength(1)
    expect(findings[0]).toMatchObject({ state: 'warning', found: expect.stringContaining('is a primary') })
  })

  it('with another history is a problem, and nothing else of it matters', async () => {
    const { findings } = await found({
      ...sound,
      sameHistory: false,
      lagRevisions: 5,
      keepsOldVersions: false,
    })
    expect(findings).toHaveLength(1)
    expect(findings[0]).toMatchObject({ state: 'problem', found: expect.stringContaining('another history') })
  })

  it('that does not answer is named with the reason, and its setting', async () => {
    const failure = new CoordinatorError('COORD_STORE_UNAVAILABLE', { detail: 'It failed.' })
    const { findings } = await found({ host: sound.host, failure })
    expect(findings).toMatchObject([
      {
        state: 'warning',
        found: 'Replica 0 (10.0.0.2:5432): COORD_STORE_UNAVAILABLE: It failed.',
        repair: 'Start the database, or correct host and port in DATABASE_REPLICAS.',
      },
    ])
  })

  it('that is behind once is asked again, and is no flaw once it has what was missing', async () => {
    expect(await found(at(8, 2), at(10, 7))).toMatchObject({ asked: 2, states: ['ok'] })
  })

  it('that stays behind is a flaw, even if it goes on', async () => {
    const { asked, findings } = await found(at(8, 20), at(9, 20), at(10, 20), at(11, 20), at(12, 20))
    expect(asked).toBe(5)
    expect(findings).toMatchObject([
      { state: 'warning', found: expect.stringContaining('behind by 20 revisions') },
    ])
  })

  it('whose long reads may be ended is a flaw only where it answers long ones', async () => {
    const replica = { ...sound, keepsOldVersions: false }
    expect((await found(replica)).findings).toMatchObject([
      { state: 'warning', repair: expect.stringContaining('hot_standby_feedback = on') },
    ])
    expect((await found({ ...replica, longestReadMs: -1 })).states).toEqual(['ok'])
    const inspectReplicas = async () => [replica]
    expect(await findReplicas({ inspectReplicas }, ['history'])).toMatchObject([{ state: 'ok' }])
  })

  it('is looked for only where the settings name one', async () => {
    expect(await findReplicas({}, ['load'])).toEqual([])
  })
})

describe('doctor on real servers', () => {
  let primary: PostgresServer
  let standby: PostgresServer
  let stranger: PostgresServer
  beforeAll(async () => {
    primary = await PostgresServer.start()
    await fill(primary)
    standby = await primary.standby({ hot_standby_feedback: 'on' })
    stranger = await PostgresServer.start()
    await stranger.query('create database empty')
    await fill(stranger)
  })
  afterAll(async () => {
    for (const server of [primary, standby, stranger]) await server.dispose()
  })

  async function fill(server: PostgresServer, id = 'a'): Promise<void> {
    const store = new PostgresStore(storeOptions(server))
    const caller = new Caller(store, (await store.open()).position)
    await caller.write(put(id))
    await store.close()
  }

  /** What doctor says of replicas at these URLs, one text for each. */
  async function examined(...urls: readonly string[]): Promise<readonly string[]> {
    const options = { replicas: urls.map(targetOf), autoMigrate: false, connectTimeoutMs: 1_000 }
    const store = new PostgresStore(storeOptions(primary, options))
    try {
      const all = await Array.fromAsync(diagnose(store, { replicaReads: ['load', 'asOf', 'history'] }))
      // Whatever the replicas are, the rest is examined.
      expect(all.map(({ check }) => check)).toEqual(expect.arrayContaining(['writing', 'records', 'drift']))
      return all.filter(({ check }) => check === 'replica').map(({ state, found }) => `${state}: ${found}`)
    } finally {
      await store.close()
    }
  }

  const name = (server: PostgresServer, number = 0) => `Replica ${number} (127.0.0.1:${server.port})`

  it('finds nothing wrong with a standby, and each of several others', async () => {
    await caughtUp(primary, standby)
    const away = await freePort()
    const url = `postgres://postgres@127.0.0.1:${away}/postgres?sslmode=disable`
    expect(await examined(standby.url(), primary.url(), stranger.url(), stranger.url('empty'), url)).toEqual([
      `ok: ${name(standby)} is a standby, at revision 1.`,
      expect.stringContaining(`warning: ${name(primary, 1)} is a primary`),
      expect.stringContaining(`problem: ${name(stranger, 2)} has another history`),
      expect.stringContaining(`warning: ${name(stranger, 3)} does not have the schema`),
      expect.stringContaining(`warning: Replica 4 (127.0.0.1:${away}): COORD_STORE_UNAVAILABLE`),
    ])
  })

  it('finds a standby whose replay stands still, until it goes on', async () => {
    await standby.query('select pg_wal_replay_pause()')
    await fill(primary, 'b')
    expect(await examined(standby.url())).toEqual([
      expect.stringContaining(`warning: ${name(standby)} is behind by 1 revision`),
    ])
    await standby.query('select pg_wal_replay_resume()')
    await caughtUp(primary, standby)
    expect(await examined(standby.url())).toEqual([`ok: ${name(standby)} is a standby, at revision 2.`])
  })

  it('finds a standby that may end long reads, and the repair ends that', async () => {
    await standby.query('alter system set hot_standby_feedback = off')
    await standby.query('select pg_reload_conf()')
    await waitFor(async () => (await examined(standby.url()))[0]?.startsWith('warning') === true)
    expect(await examined(standby.url())).toEqual([
      expect.stringContaining(
        'may end long reads: hot_standby_feedback is off, and replay waits for reads for 30000 ms',
      ),
    ])
    await standby.query('alter system set hot_standby_feedback = on')
    await standby.query('select pg_reload_conf()')
    await waitFor(async () => (await examined(standby.url()))[0]?.startsWith('ok') === true)
  })

  it('prints a line for each, with what to do', async () => {
    const env = { DATABASE_URL: primary.url(), DATABASE_REPLICAS: `${standby.url()} ${primary.url()}` }
    const { stdout } = await runCoordinator(['doctor'], { env })
    expect(stdout).toContain(`\nok    replica: ${name(standby)} is a standby`)
    expect(stdout).toContain(`\nWARN  replica: ${name(primary, 1)} is a primary`)
    expect(stdout).toContain('\n      Name a standby in DATABASE_REPLICAS.')
  })

  it('cannot examine a setting that names no server, and says which setting', async () => {
    const env = { DATABASE_URL: primary.url(), DATABASE_REPLICAS: 'http://standby.example' }
    const { code, stderr } = await runCoordinator(['doctor'], { env })
    expect([code, stderr]).toEqual([78, expect.stringContaining('DATABASE_REPLICAS')])
  })

  it('finds the server that was promoted', async () => {
    const other = await primary.standby({ hot_standby_feedback: 'on' })
    try {
      await other.promote()
      expect(await examined(other.url())).toEqual([
        expect.stringContaining(`warning: ${name(other)} is a primary`),
      ])
    } finally {
      await other.dispose()
    }
  })
})
