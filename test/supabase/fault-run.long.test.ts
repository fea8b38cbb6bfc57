import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { ask, serving } from '../main/coordinator-process.ts'
import { type Fault, FaultProxy, httpAnswer, httpPage } from '../support/fault-proxy.ts'
import { type FaultRunOptions, type FaultRunReport, runUnderFaults } from '../support/fault-proxy-run.ts'
import { SupabaseProject } from '../support/supabase.ts'

const writes = 10_000
const kills = 20

/** Every damage that can happen between a coordinator and a project, and to the project. */
function faultsOf(project: SupabaseProject, proxy: FaultProxy): Record<string, () => Promise<void>> {
  const during = async (ms: number, fault: Fault) => {
    proxy.add({ fault })
    await sleep(ms)
    proxy.heal()
  }
  const commitsLose = async (fault: Fault) => {
    const before = proxy.faults
    proxy.add({ matching: '_commit', times: 5, fault })
    for (let waited = 0; proxy.faults < before + 5 && waited < 200; waited += 1) await sleep(10)
    proxy.heal()
  }
  return {
    'lost replies to commits': () => commitsLose({ do: 'lose reply' }),
    'replies cut in half': () => commitsLose({ do: 'cut reply', afterBytes: 250 }),
    'commits that do not arrive': () => commitsLose({ do: 'cut request' }),
    'every connection cut': async () => proxy.cut(),
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
    'pages with 502': () => during(300, { do: 'answer', bytes: httpPage(502) }),
    'pages with 520': () => during(300, { do: 'answer', bytes: httpPage(520) }),
    'half of the JSON': () =>
      during(200, { do: 'answer', bytes: httpAnswer(200, '{"status":"ok","results":[{"ou') }),
    '402': () => during(200, { do: 'answer', bytes: httpAnswer(402, '{}') }),
    '429': () => during(200, { do: 'answer', bytes: httpAnswer(429, '{}', { 'retry-after': '1' }) }),
    PGRST000: () =>
      during(300, { do: 'answer', bytes: httpAnswer(503, '{"code":"PGRST000"}', { 'retry-after': '32' }) }),
    PGRST002: () => during(300, { do: 'answer', bytes: httpAnswer(503, '{"code":"PGRST002"}') }),
    'PostgreSQL killed': async () => {
      await project.server.kill()
      await project.server.start()
      await project.api.revive()
    },
    'the Data API killed': async () => {
      await project.api.stop()
      await project.api.start()
    },
  }
}

/** Starts a project and a coordinator on it, damages what is between them, and looks whether all is as it was acknowledged. */
async function registerUnderFaults(
  choose: (all: Record<string, () => Promise<void>>) => Record<string, () => Promise<void>>,
  options: Pick<FaultRunOptions, 'writes' | 'leastFaults'>,
): Promise<void> {
  await using project = await SupabaseProject.start({ config: { fsync: 'on' } })
  await using proxy = await FaultProxy.start(project.api.port)
  await using coordinator = await serving({
    env: {
      SUPABASE_URL: proxy.url,
      SUPABASE_SECRET_KEY: project.keys.secretKey,
      DATABASE_STATEMENT_TIMEOUT_MS: '1000',
      COMMIT_TIMEOUT_MS: '2000',
      LOG_LEVEL: 'info',
    },
    timeoutMs: 290_000,
  })
  const { url } = coordinator
  const faults = choose(faultsOf(project, proxy))
  const report = await runUnderFaults({ url, faults, clients: 128, peaceMs: 600, ...options })
  const slowest = Math.max(...report.recoveries.map(([, ms]) => ms))
  console.log(
    `${report.acknowledged.size} writes, ${report.recoveries.length} faults, ${proxy.faults} calls damaged; ` +
      `refused: ${JSON.stringify(report.refused)}; ${report.reads} reads, ${Math.round(report.readsPerSecond)}/s; ` +
      `slowest recovery ${Math.round(slowest)} ms`,
  )
  expect(report.acknowledged.size).toBeGreaterThanOrEqual(options.writes)
  expect(report.wrongReads).toEqual([])
  expect(report.readsPerSecond).toBeGreaterThan(100)
  expect(new Set(report.recoveries.map(([name]) => name))).toEqual(new Set(Object.keys(faults)))
  for (const [name, ms] of report.recoveries) expect([name, ms < 2_000]).toEqual([name, true])
  await compareWithDatabase(project, report)
  const { body } = await ask(`${url}/services?limit=1`)
  expect(body).toMatchObject({ total: report.acknowledged.size, revision: report.acknowledged.size })
}

/** Every service once, every acknowledged revision its own, not one commit more, and an unbroken chain of digests. */
async function compareWithDatabase(
  { server }: SupabaseProject,
  { acknowledged }: FaultRunReport,
): Promise<void> {
  const rows = await server.query<{ id: string; revision: string }>(
    `select id, revision from coordinator.records where kind = 'service'`,
  )
  const stored = new Map(rows.map(({ id, revision }) => [id, Number(revision)]))
  expect(stored.size).toBe(acknowledged.size)
  for (const { serviceId, revision } of acknowledged.values()) expect(stored.get(serviceId)).toBe(revision)
  const [head] = await server.query<{ revision: string; entries: string; chained: boolean }>(
    `select h.revision, (select count(*) from coordinator.journal) as entries,
       not exists (
         select from (select digest, commit_id, lag(digest, 1, h.lineage::text) over (order by revision) as before
                      from coordinator.journal) j
         where j.digest <> encode(sha256(convert_to(j.before || j.commit_id, 'UTF8')), 'hex')) as chained
     from coordinator.head h`,
  )
  const expected = String(acknowledged.size)
  expect(head).toEqual({ revision: expected, entries: expected, chained: true })
}

describe('a coordinator on Supabase under faults', () => {
  it(`${writes} registrations: none acknowledged and lost, none doubled, no read fails`, async () => {
    await registerUnderFaults((all) => all, { writes })
  }, 280_000)

  it(`${kills} kills of PostgreSQL: the same`, async () => {
    await registerUnderFaults(
      ({ 'PostgreSQL killed': killed }) => ({ 'PostgreSQL killed': killed as () => Promise<void> }),
      { writes: 1, leastFaults: kills },
    )
  }, 280_000)
})
