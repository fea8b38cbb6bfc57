import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { PostgresStore } from '../../src/database/postgres/store.ts'
import type { SeedPoint, Store } from '../../src/database/store.ts'
import { SupabaseStore } from '../../src/database/supabase/store.ts'
import { canonicalJson } from '../../src/records/canonical-json.ts'
import { nextDigest } from '../../src/records/digest.ts'
import type { Entry, StoredRecord } from '../../src/records/record.ts'
import { storeOptions } from '../support/backends/postgres.ts'
import { PostgresServer } from '../support/postgres.ts'
import { SupabaseProject } from '../support/supabase.ts'

const SERVICES = 100_000
const ENTRIES = 20_000
/** What a caller sends in one call. */
const PART = 2_000
/** What a Supabase project gives a statement, in milliseconds. */
const STATEMENT_TIMEOUT = 8_000

/** About 400 bytes, as a registration has. */
function dataOf(n: number, v: number) {
  return canonicalJson({
    serviceName: `service-${n % 5_000}`,
    instanceId: `instance-${n}`,
    version: `1.${v}.0`,
    endpoint: `http://10.0.${n % 256}.${n % 250}:8080`,
    healthCheck: `http://10.0.${n % 256}.${n % 250}:8080/health`,
    description: 'A service that does something useful for all others',
    metadata: { team: `team-${n % 97}`, region: 'eu-central-1', owner: 'somebody@example.org' },
    tags: ['production', 'shop'],
    dependencies: [{ serviceName: `service-${(n * 7) % 5_000}`, version: '^1.0.0' }],
  })
}

const idOf = (n: number) => `default/service-${n % 5_000}/instance-${n}`

/** Every record has a revision of its own, in another order than the keys. */
const records: StoredRecord[] = Array.from({ length: SERVICES }, (_, n) => {
  const revision = ((n * 7_919) % SERVICES) + 1
  return {
    kind: 'service',
    id: idOf(n),
    data: dataOf(n, 0),
    revision,
    createdAt: revision,
    updatedAt: revision,
  }
})

const point: SeedPoint = {
  position: { lineage: randomUUID(), revision: SERVICES + 10, digest: 'a'.repeat(64) },
  at: SERVICES + 10,
  ancestors: [],
}

/** One write in ten deletes. */
function makeEntries(): Entry[] {
  let { revision, digest } = point.position
  return Array.from({ length: ENTRIES }, (_, index) => {
    const n = (index * 31) % SERVICES
    const key = { kind: 'service', id: idOf(n) }
    const commitId = randomUUID()
    revision += 1
    digest = nextDigest(digest, commitId)
    const write =
      index % 10 === 9
        ? ({ op: 'delete', ...key } as const)
        : ({ op: 'put', ...key, data: dataOf(n, index) } as const)
    return {
      revision,
      commitId,
      at: revision,
      actor: 'somebody',
      fingerprint: 'f'.repeat(43),
      writes: [write],
      digest,
    }
  })
}

/** Fills an empty store, and returns what it took: in all, and for the slowest call. In milliseconds. */
async function fill(store: Store): Promise<{ all: number; slowest: number }> {
  const entries = makeEntries()
  const startedAt = performance.now()
  let slowest = 0
  const timed = async (call: Promise<unknown>) => {
    const sentAt = performance.now()
    await call
    slowest = Math.max(slowest, performance.now() - sentAt)
  }
  await store.setMode('open', 'seeding')
  for (let start = 0; start < SERVICES; start += PART)
    await timed(store.seed(point, records.slice(start, start + PART)))
  for (let start = 0; start < ENTRIES; start += PART) {
    const before = entries[start - 1]
    const after = before && { ...point.position, revision: before.revision, digest: before.digest }
    await timed(store.replay(after ?? point.position, entries.slice(start, start + PART)))
  }
  const all = performance.now() - startedAt
  expect((await store.head()).position.revision).toBe(SERVICES + 10 + ENTRIES)
  return { all, slowest }
}

/** Processor time of this process and of all sessions of the server, in milliseconds. Linux only, where a tick has 10 ms. */
async function processorTime(server: PostgresServer): Promise<number> {
  const sessions = await server.query<{ pid: number }>(
    `select pid from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()`,
  )
  const ticks = sessions.map(({ pid }) => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    return Number(fields[11]) + Number(fields[12])
  })
  const { user, system } = process.cpuUsage()
  return ticks.reduce((sum, each) => sum + each * 10, (user + system) / 1_000)
}

/** Other programs that keep the machine busy do not count: on a machine of its own, it takes as long as its processor time. */
async function expectFast(server: PostgresServer, store: Store): Promise<void> {
  await store.open()
  const before = await processorTime(server)
  const { all, slowest } = await fill(store)
  const used = (await processorTime(server)) - before
  const sentAt = performance.now()
  const other = { ...point, position: { ...point.position, lineage: randomUUID() } }
  await store.seed(other, records.slice(0, PART))
  const removing = performance.now() - sentAt
  console.log(
    `${store.backend}: ${SERVICES} records and ${ENTRIES} entries in ${Math.round(all)} ms, ${Math.round(used)} ms of them processor time, the slowest call ${Math.round(slowest)} ms; another seed began after ${Math.round(removing)} ms`,
  )
  expect(Math.max(slowest, removing)).toBeLessThan(STATEMENT_TIMEOUT)
  expect(used).toBeLessThan(20_000)
  await store.setMode('seeding', 'open')
  let left = 0
  for await (const page of store.load()) left += page.records.length
  expect(left).toBe(PART)
}

describe(`${SERVICES} services and ${ENTRIES} entries`, () => {
  it('come into PostgreSQL within 20 s, and another seed removes them within one call', async () => {
    await using server = await PostgresServer.start({ config: { fsync: 'on' } })
    const store = new PostgresStore(storeOptions(server))
    await expectFast(server, store).finally(() => store.close())
  })

  it('come into Supabase within 20 s, each call within the time of a statement', async () => {
    await using project = await SupabaseProject.start({ config: { fsync: 'on' } })
    const store = new SupabaseStore(project.options())
    await expectFast(project.server, store).finally(() => store.close())
  })
})
