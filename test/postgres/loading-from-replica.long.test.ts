import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { Store } from '../../src/database/store.ts'
import { canonicalJson } from '../../src/records/canonical-json.ts'
import type { StoredRecord } from '../../src/records/record.ts'
import { commitOf, idsOf, put } from '../conformance/build.ts'
import { Caller } from '../conformance/caller.ts'
import { caughtUp, readsOf, replicaServers } from './with-replica.ts'

const SERVICES = 100_000
const PART = 2_000
const BATCH = 200

/** About 400 bytes, as a registration has. */
const dataOf = (n: number, v: number) =>
  canonicalJson({
    serviceName: `service-${n % 5_000}`,
    instanceId: `instance-${n}`,
    version: `1.${v}.0`,
    endpoint: `http://10.0.${n % 256}.${n % 250}:8080`,
    description: 'A service that does something useful for all others',
    metadata: { team: `team-${n % 97}`, region: 'eu-central-1', owner: 'somebody@example.org' },
    tags: ['production', 'shop'],
    dependencies: [{ serviceName: `service-${(n * 7) % 5_000}`, version: '^1.0.0' }],
  })
const ids = idsOf('service', SERVICES)

/** Writes batch after batch, until the end. Returns how many commits there were. */
async function writeUntil(store: Store, ended: AbortSignal): Promise<number> {
  const caller = await Caller.at(store)
  let count = 0
  for (let turn = 0; !ended.aborted; turn += 1) {
    const batch = Array.from({ length: BATCH }, (_, index) => {
      const n = (turn * BATCH + index) % SERVICES
      return commitOf(put(ids[n] as string, { n, turn }))
    })
    await caller.send(...batch)
    count += batch.length
  }
  return count
}

describe('a load of 100,000 services', () => {
  const servers = replicaServers()

  it('comes from the replica while the primary commits, and agrees with the journal', async () => {
    const { store: writer } = await servers.open({}, [])
    await writer.setMode('open', 'seeding')
    const point = {
      position: { lineage: randomUUID(), revision: SERVICES, digest: 'a'.repeat(64) },
      at: 1,
      ancestors: [],
    }
    const records: StoredRecord[] = ids.map((id, n) => ({
      ...{ kind: 'service', id, data: dataOf(n, 0), revision: n + 1, createdAt: 1, updatedAt: 1 },
    }))
    for (let from = 0; from < SERVICES; from += PART)
      await writer.seed(point, records.slice(from, from + PART))
    await writer.setMode('seeding', 'open')
    await servers.primary.query('analyze')
    await caughtUp(servers.primary, servers.standby)

    /** Loads as a coordinator does: the head first, then all pages, then the journal. */
    async function timedLoad(store: Store) {
      const { position } = await store.head()
      const startedAt = performance.now()
      const loaded = new Map<string, number>()
      for await (const page of store.load()) {
        expect(page.lineage).toBe(position.lineage)
        for (const { id, revision } of page.records) loaded.set(id, Math.max(revision, loaded.get(id) ?? 0))
      }
      const ms = Math.round(performance.now() - startedAt)
      const caller = new Caller(store, position)
      for (const entry of await caller.follow())
        for (const { id } of entry.writes) loaded.set(id, Math.max(entry.revision, loaded.get(id) ?? 0))
      return { ms, loaded, revision: caller.position.revision }
    }

    const idle = { primary: 0, replica: 0 }
    const busy = { primary: { ms: 0, commits: 0 }, replica: { ms: 0, commits: 0 } }
    for (const from of ['primary', 'replica'] as const) {
      const replicas = from === 'primary' ? [] : [servers.standby]
      const { store: quiet } = await servers.open({}, replicas)
      idle[from] = (await timedLoad(quiet)).ms
      const { store } = await servers.open({}, replicas)
      const ended = new AbortController()
      const writing = writeUntil(writer, ended.signal)
      const { ms, loaded, revision } = await timedLoad(store)
      ended.abort()
      busy[from] = { ms, commits: await writing }
      // What the primary has at the same revision.
      const truth = new Map<string, number>()
      for await (const { records: page } of writer.asOf({ revision }))
        for (const record of page) truth.set(record.id, record.revision)
      expect(loaded.size).toBe(SERVICES)
      expect(loaded).toEqual(truth)
      if (from === 'replica') {
        expect(readsOf(store, 'load')).toEqual({ answered: readsOf(store, 'load').answered })
        expect(readsOf(store, 'load').answered).toBeGreaterThanOrEqual(SERVICES / PART)
      }
    }
    console.log(`load of ${SERVICES} services: ${JSON.stringify({ idle, busy })}`)
  })
})
