import { hash, randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { copyStore } from '../../../src/archive/move/copy-store.ts'
import { cutover } from '../../../src/archive/move/cutover.ts'
import { PostgresStore } from '../../../src/database/postgres/store.ts'
import { SqliteStore } from '../../../src/database/sqlite/store.ts'
import type { Store } from '../../../src/database/store.ts'
import { SupabaseStore } from '../../../src/database/supabase/store.ts'
import { canonicalJson } from '../../../src/records/canonical-json.ts'
import { put } from '../../conformance/build.ts'
import { accepted, Caller } from '../../conformance/caller.ts'
import { scratchFolder } from '../../main/coordinator-process.ts'
import { storeOptions } from '../../support/backends/postgres.ts'
import type { PostgresServer } from '../../support/postgres.ts'
import { SupabaseProject } from '../../support/supabase.ts'
import { type Ground, runCutovers } from './cutover-run.ts'
import { moving } from './moving.ts'

function postgres(server: PostgresServer): Ground {
  const makeStore = () => new PostgresStore(storeOptions(server, { schema: 'by_wire' }))
  return { name: 'postgres', isShared: true, makeStore }
}

function supabase(project: SupabaseProject): Ground {
  return { name: 'supabase', isShared: true, makeStore: () => new SupabaseStore(project.options()) }
}

describe('cutovers while clients write', () => {
  it('lose and double nothing, 20 times between PostgreSQL and Supabase', async () => {
    await using project = await SupabaseProject.start()
    const [one, two] = [postgres(project.server), supabase(project)]
    const path = Array.from({ length: 21 }, (_, index) => (index % 2 === 0 ? one : two))
    const { reports } = await runCutovers({ path, clients: 16 })
    expect(reports).toHaveLength(20)
    expect(Math.max(...reports.map(({ pauseMs }) => pauseMs))).toBeLessThan(2_000)
  }, 280_000)

  it('lose and double nothing from a SQLite file to each backend and back', async () => {
    await using project = await SupabaseProject.start()
    await using folder = await scratchFolder()
    const file = (name: string): Ground => ({
      name,
      isShared: false,
      makeStore: () => new SqliteStore({ path: `${folder.path}/${name}.db` }),
    })
    const path = [file('first'), postgres(project.server), file('second'), supabase(project), file('third')]
    const back = [path[3] as Ground, path[1] as Ground]
    const { reports } = await runCutovers({ path: [...path, ...back] })
    expect(reports).toHaveLength(6)
  }, 280_000)
})

describe('a move of 100,000 services', () => {
  it('pauses writes for less than two seconds, from a SQLite file to PostgreSQL, and to Supabase', async () => {
    await using project = await SupabaseProject.start()
    await using folder = await scratchFolder()
    const makeStore = () => new SqliteStore({ path: `${folder.path}/coordinator.db` })
    const path = [{ name: 'sqlite', isShared: false, makeStore }, postgres(project.server), supabase(project)]
    await fillWith(path[0] as Ground, 100_000)
    for (const [index, now] of path.slice(1).entries()) {
      const old = path[index] as Ground
      const [from, to] = [old.makeStore(), now.makeStore()]
      await from.open()
      await to.open()
      const started = performance.now()
      await copyStore(moving(from, to))
      const copied = performance.now()
      const writer = new SteadyWriter(from)
      const { pauseMs, revision } = await cutover(moving(from, to))
      const acknowledged = await writer.ended
      console.log(
        `${old.name} > ${now.name}: copied in ${Math.round(copied - started)} ms, cutover ${Math.round(performance.now() - copied)} ms, pause ${pauseMs} ms, ${acknowledged.length} writes meanwhile`,
      )
      expect(pauseMs).toBeLessThan(2_000)
      expect(Math.max(0, ...acknowledged)).toBeLessThanOrEqual(revision)
      await from.close()
      await to.close()
    }
  }, 290_000)
})

/** Writes a record every few milliseconds until the store refuses it because it is frozen. */
class SteadyWriter {
  /** The revisions that were acknowledged. */
  readonly ended: Promise<readonly number[]>

  constructor(store: Store) {
    this.ended = this.#write(store)
  }

  async #write(store: Store): Promise<readonly number[]> {
    const caller = await Caller.at(store)
    for (const acknowledged: number[] = []; ; await sleep(3)) {
      const result = await caller.write(put(`written-${acknowledged.length % 500}`, { v: randomUUID() }))
      if (result.outcome === 'refused') {
        expect(result.error.code).toBe('COORD_STORE_FROZEN')
        return acknowledged
      }
      acknowledged.push(accepted(result).revision)
    }
  }
}

/** Gives an empty database so many services at once. */
async function fillWith({ makeStore }: Ground, count: number): Promise<void> {
  const store = makeStore()
  await store.open()
  await store.setMode('open', 'seeding')
  const position = { lineage: randomUUID(), revision: count, digest: hash('sha256', 'filled') }
  const at = Date.now()
  for (let first = 0; first < count; first += 2_000) {
    const records = Array.from({ length: 2_000 }, (_, index) => {
      const serviceName = `filler-${first + index}`
      const data = canonicalJson({ serviceName, version: '1.0.0', endpoint: `http://${serviceName}:8080` })
      return {
        kind: 'service',
        id: randomUUID(),
        data,
        revision: 1 + first + index,
        createdAt: at,
        updatedAt: at,
      }
    })
    await store.seed({ position, at, ancestors: [] }, records)
  }
  await store.setMode('seeding', 'open')
  await store.close()
}
