import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { ask, serving } from '../main/coordinator-process.ts'
import { type Fault, FaultProxy } from '../support/fault-proxy.ts'
import { type FaultRunReport, runUnderFaults } from '../support/fault-proxy-run.ts'
import { PostgresServer } from '../support/postgres.ts'

const writes = 10_000

/** Every damage that can happen to the line between a coordinator and its server, and to the server. */
function faultsOf(server: PostgresServer, proxy: FaultProxy): Record<string, () => Promise<void>> {
  const commitsLose = async (fault: Fault) => {
    const before = proxy.faults
    proxy.add({ matching: 'commit', times: 5, fault })
    for (let waited = 0; proxy.faults < before + 5 && waited < 200; waited += 1) await sleep(10)
    proxy.heal()
  }
  const killed = async () => {
    await server.kill()
    await server.start()
  }
  return {
    'PostgreSQL killed': killed,
    'lost replies to commits': () => commitsLose({ do: 'lose reply' }),
    'replies cut in half': () => commitsLose({ do: 'cut reply', afterBytes: 40 }),
    'PostgreSQL killed once more': killed,
    'commits that do not arrive': () => commitsLose({ do: 'cut request' }),
    'every connection cut': async () => proxy.cut(),
    'commits that vanish': async () => {
      proxy.add({ matching: 'commit', times: 1, fault: { do: 'hang' } })
      await sleep(100)
    },
    'half-open connections': async () => {
      proxy.freeze()
      await sleep(600)
      // Whoever comes back does not know the old connections any more.
      proxy.cut()
      proxy.heal()
    },
    'connections refused': async () => {
      await proxy.refuse()
      await sleep(400)
      await proxy.listen()
    },
    'PostgreSQL restarted in order': async () => {
      await server.stop()
      await server.start()
    },
    'PostgreSQL hanging': async () => {
      server.freeze()
      await sleep(700)
      server.resume()
    },
    'every session ended': async () => {
      await server.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'coordinator'`,
      )
    },
    'somebody holding the head': async () => {
      await server.query(
        `begin; insert into coordinator.records (kind, id, data) values ('x', 'y', '{}'); select pg_sleep(0.5); rollback`,
      )
    },
  }
}

/** What the database itself says about the acknowledged writes. */
async function expectKept(server: PostgresServer, report: FaultRunReport): Promise<void> {
  const rows = await server.query<{ id: string; revision: string }>(
    `select id, revision from coordinator.records where kind = 'service'`,
  )
  const stored = new Map(rows.map(({ id, revision }) => [id, Number(revision)]))
  expect(stored.size).toBe(writes)
  for (const { serviceId, revision } of report.acknowledged.values())
    expect(stored.get(serviceId)).toBe(revision)
  const [head] = await server.query<{ revision: string; entries: string; chained: boolean }>(
    `select h.revision, (select count(*) from coordinator.journal) as entries,
       not exists (
         select from (select digest, commit_id, lag(digest, 1, h.first_digest) over (order by revision) as before
                      from coordinator.journal) j
         where j.digest <> encode(sha256(convert_to(j.before || j.commit_id, 'UTF8')), 'hex')) as chained
     from coordinator.head h`,
  )
  expect(head).toEqual({ revision: String(writes), entries: String(writes), chained: true })
}

function summary({ recoveries, refused, reads, readsPerSecond }: FaultRunReport): string {
  const slowest = Math.max(...recoveries.map(([, ms]) => ms))
  return `${recoveries.length} faults; refused: ${JSON.stringify(refused)}; ${reads} reads, ${Math.round(readsPerSecond)}/s; slowest recovery ${Math.round(slowest)} ms`
}

describe('a coordinator on PostgreSQL under faults', { timeout: 290_000 }, () => {
  it(`${writes} registrations: none acknowledged and lost, none doubled, no read fails`, async () => {
    await using server = await PostgresServer.start({ config: { fsync: 'on' } })
    await using proxy = await FaultProxy.start(server.port)
    await using coordinator = await serving({
      env: {
        DATABASE_URL: `postgres://postgres@127.0.0.1:${proxy.port}/postgres?sslmode=disable`,
        DATABASE_STATEMENT_TIMEOUT_MS: '2000',
        COMMIT_TIMEOUT_MS: '3000',
      },
      timeoutMs: 290_000,
    })
    const faults = faultsOf(server, proxy)
    const report = await runUnderFaults({ url: coordinator.url, writes, faults, peaceMs: 150 })
    console.log(summary(report))
    expect(report.acknowledged.size).toBe(writes)
    expect(report.wrongReads).toEqual([])
    expect(report.readsPerSecond).toBeGreaterThan(100)
    expect(new Set(report.recoveries.map(([name]) => name)).size).toBe(Object.keys(faults).length)
    for (const [name, ms] of report.recoveries) expect([name, ms < 2_000]).toEqual([name, true])
    await expectKept(server, report)
    const { body } = await ask(`${coordinator.url}/services?limit=1`)
    expect(body).toMatchObject({ total: writes, revision: writes })
  })

  it('survives a failover to a synchronous standby: nothing lost, writing within 5 seconds', async () => {
    await using primary = await PostgresServer.start({ config: { fsync: 'on' } })
    await using standby = await primary.standby()
    primary.configure({ synchronous_standby_names: 'standby' })
    primary.reload()
    for (let sync = 0; sync === 0; )
      sync = (await primary.query(`select 1 from pg_stat_replication where sync_state = 'sync'`)).length
    const hosts = [primary, standby].map(({ port }) => `127.0.0.1:${port}`).join(',')
    await using coordinator = await serving({
      env: { DATABASE_URL: `postgres://postgres@${hosts}/postgres?sslmode=disable` },
      timeoutMs: 290_000,
    })
    let failedOver = false
    const report = await runUnderFaults({
      url: coordinator.url,
      writes,
      faults: {
        failover: async () => {
          if (failedOver) return sleep(500)
          await sleep(500)
          failedOver = true
          await primary.kill()
          await standby.promote()
        },
      },
    })
    console.log(summary(report))
    const [[, first]] = report.recoveries as [readonly [string, number]]
    expect(first).toBeLessThan(5_000)
    expect(report.wrongReads).toEqual([])
    await expectKept(standby, report)
  })
})
