import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { type Serving, serving } from '../main/coordinator-process.ts'
import { PostgresServer } from '../support/postgres.ts'
import { CoordinatorClient } from './coordinator-client.ts'
import { metric, runFaults, settled, until } from './fault-run.ts'
import { checkView, readHistory } from './stored-history.ts'

/** A primary and its standby, both known to the coordinators by one URL. */
interface Pair extends AsyncDisposable {
  readonly primary: PostgresServer
  readonly standby: PostgresServer
  readonly env: { readonly DATABASE_URL: string }
}

async function startPair(): Promise<Pair> {
  const primary = await PostgresServer.start({ config: { fsync: 'on' } })
  const standby = await primary.standby()
  const hosts = [primary, standby].map(({ port }) => `127.0.0.1:${port}`).join(',')
  return {
    primary,
    standby,
    env: { DATABASE_URL: `postgres://postgres@${hosts}/postgres?sslmode=disable` },
    async [Symbol.asyncDispose]() {
      await primary.dispose()
      await standby.dispose()
    },
  }
}

describe('a failover', () => {
  it('to a synchronous standby costs no acknowledged write and no read, and writes flow within 5 seconds', async () => {
    await using pair = await startPair()
    const { primary, standby, env } = pair
    primary.configure({ synchronous_standby_names: 'standby' })
    primary.reload()
    await until('the standby is synchronous', async () => {
      const rows = await primary.query(`select 1 from pg_stat_replication where sync_state = 'sync'`)
      return rows.length === 1
    })
    const run = await runFaults({ env, database: () => standby, writes: 4_000 }, async ({ back, load }) => {
      await load.reached(2_000)
      await primary.kill()
      await sleep(500)
      await standby.promote()
      await back('promotion')
    })
    expect(run.recoveries.get('promotion')?.[0]).toBeLessThan(5_000)
    // The history went on: nobody had seen anything that the new primary does not have.
    expect(metric(run.metrics, 'coordinator_history_forks_total')).toBe(0)
  }, 120_000)

  it('to a standby that lost its tail is noticed by every coordinator, named, and followed', async () => {
    await using pair = await startPair()
    const { primary, standby, env } = pair
    await using one = await coordinator(env)
    await using two = await coordinator(env)
    const { lineage } = await one.register('kept')
    await stopOnceItHas(standby, '1')
    const lost = []
    for (let index = 0; index < 50; index += 1) lost.push((await one.register(`lost-${index}`)).serviceId)
    await two.client.get('/services?minRevision=51')
    await primary.kill()
    // Nothing is forgotten as long as nobody can say otherwise.
    expect((await one.client.get('/services')).body.total).toBe(51)
    await standby.start()
    await standby.promote()
    const promoted = performance.now()
    await one.register('after')
    expect(performance.now() - promoted).toBeLessThan(5_000)
    await expectNamed([one, two], { lineage, lost, status: 'ahead' })
    await expectFollowed([one, two], standby, { services: 2 })
  }, 60_000)

  it('to a standby that lost its tail, and was written to before anybody came back, is noticed too', async () => {
    await using pair = await startPair()
    const { primary, standby, env } = pair
    await using one = await coordinator(env)
    await using two = await coordinator(env)
    const { lineage } = await one.register('kept')
    await stopOnceItHas(standby, '1')
    const lost = [await one.register('lost-1'), await one.register('lost-2')].map((each) => each.serviceId)
    await two.client.get('/services?minRevision=3')
    // Both ask again as soon as the new primary is there; the changes by hand must come first.
    for (const each of [one, two]) each.serving.process.kill('SIGSTOP')
    await primary.kill()
    await standby.start()
    await standby.promote()
    await standby.query(
      `insert into coordinator.records (kind, id, data) select 'note', 'n' || g, '{}' from generate_series(1, 5) g`,
    )
    for (const each of [one, two]) each.serving.process.kill('SIGCONT')
    await expectNamed([one, two], { lineage, lost, status: 'diverged' })
    await one.register('after')
    await expectFollowed([one, two], standby, { services: 2 })
  }, 60_000)
})

interface Running extends AsyncDisposable {
  readonly serving: Serving
  readonly client: CoordinatorClient
  /** Registers a service, however often it takes. */
  register(serviceName: string): Promise<{ readonly serviceId: string; readonly lineage: string }>
}

async function coordinator(env: Record<string, string>): Promise<Running> {
  const started = await serving({ env: { ...env, COMMIT_TIMEOUT_MS: '1000' } })
  const client = new CoordinatorClient(started.url)
  return {
    serving: started,
    client,
    async register(serviceName) {
      const body = { serviceName, version: '1.0.0', endpoint: `http://${serviceName}:8080` }
      const headers = { 'idempotency-key': serviceName }
      for (;;) {
        const answer = await client.send({ method: 'POST', path: '/register', body, headers })
        if (answer.status < 300) {
          const { lineage } = (await client.get('/health')).body
          return { serviceId: answer.body.serviceId, lineage }
        }
        if (answer.status !== 503) throw new Error(`A write was answered with ${answer.text}`)
        await sleep(20)
      }
    },
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]()
      await started[Symbol.asyncDispose]()
    },
  }
}

interface Loss {
  /** The history that was lost. */
  readonly lineage: string
  /** Ids of the services that were. */
  readonly lost: readonly string[]
  /** How the new primary contradicts. */
  readonly status: 'ahead' | 'diverged'
}

/** All of them say that there is another history now, and the same one; and one at least says what it found. */
async function expectNamed(all: readonly Running[], { lineage, lost, status }: Loss): Promise<void> {
  const lineages: string[] = []
  let forks = 0
  for (const {
    client,
    serving: { process },
  } of all) {
    await until('the new history is noticed', async () => {
      const { body } = await client.get('/health')
      return body.lineage !== lineage
    })
    await settled(client)
    lineages.push((await client.get('/health')).body.lineage)
    const old = await client.send({ path: '/services', headers: { 'x-coordinator-lineage': lineage } })
    expect(old).toMatchObject({ status: 412, body: { code: 'COORD_LINEAGE_CHANGED' } })
    for (const serviceId of lost.slice(0, 5))
      expect((await client.get(`/services/${serviceId}`)).status).toBe(404)
    const metrics = (await client.get('/metrics')).text
    forks += metric(metrics, 'coordinator_history_forks_total')
    expect(metric(metrics, 'coordinator_view_reloads_total')).toBeGreaterThan(0)
    const told = process.output.split('\n').filter((line) => line.includes('the database contradicts'))
    expect(told).toHaveLength(1)
    expect(JSON.parse(told[0] as string)).toMatchObject({ level: 'error', known: { lineage } })
  }
  expect(new Set(lineages).size).toBe(1)
  expect(forks).toBe(all.length)
  const first = all.map(({ serving: { process } }) => process.output).join('\n')
  expect(first).toContain(`"status":"${status}"`)
}

/** The views are what the new primary has, and the same byte for byte. */
async function expectFollowed(
  all: readonly Running[],
  server: PostgresServer,
  { services }: { readonly services: number },
): Promise<void> {
  const history = await readHistory(server)
  const snapshots = new Set<string>()
  for (const { client } of all) {
    snapshots.add(await checkView(client, history))
    expect((await client.get('/services')).body.total).toBe(services)
  }
  expect(snapshots.size).toBe(1)
}

/** Stops a standby that has a revision and gets nothing after it: the tail that a failover will lose. */
async function stopOnceItHas(standby: PostgresServer, revision: string): Promise<void> {
  await until('the standby has it', async () => {
    const [head] = await standby.query<{ revision: string }>('select revision from coordinator.head')
    return head?.revision === revision
  })
  await standby.stop()
}
