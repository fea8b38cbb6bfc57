import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { guardStore } from '../../src/database/guard-store.ts'
import { MemoryStore } from '../../src/database/memory/store.ts'
import type { Store } from '../../src/database/store.ts'
import { databaseOperations } from '../../src/telemetry/metrics/database-metrics.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'
import { commitOf, newCall, put, tokenOf } from '../conformance/build.ts'

const token = tokenOf('ci')

/** A store that has everything that a store may have. */
function fullStore(): Store {
  const store = new MemoryStore()
  const report = { current: 1, target: 1, steps: [] }
  return Object.assign(Object.create(store) as Store, {
    backend: 'memory',
    durable: false,
    ...Object.fromEntries(
      [
        ...([
          'open',
          'head',
          'load',
          'commit',
          'changes',
          'history',
          'asOf',
          'compact',
          'fork',
          'close',
        ] as const),
        ...(['adopt', 'setMode', 'seed', 'replay'] as const),
      ].map((name) => [name, (store[name] as (...args: never[]) => unknown).bind(store)]),
    ),
    migrator: { status: async () => report, migrate: async () => report, verify: async () => [] },
    inspector: { inspect: async () => ({ serverVersion: '1', schemaVersion: 1, details: {} }) },
  })
}

describe('a measured store', () => {
  it('counts each call under its own name, and under no other', async () => {
    const metrics = createMetrics({ backend: 'memory', process: false })
    const store = guardStore(fullStore(), metrics.database)
    const count = async () => {
      const text = await metrics.text()
      return Object.fromEntries(
        databaseOperations.flatMap((operation) => {
          const found = new RegExp(`queries_total\\{.*operation="${operation}",outcome="ok"\\} (\\d+)`).exec(
            text,
          )
          return found?.[1] === '0' ? [] : [[operation, Number(found?.[1])]]
        }),
      )
    }
    const { position } = await store.open()
    const empty = guardStore(fullStore(), metrics.database)
    const point = { position, at: 0, ancestors: [] }
    const calls: readonly (readonly [name: string, call: () => Promise<unknown>])[] = [
      ['head', () => store.head()],
      ['commit', () => store.commit(position, [commitOf(put('a'))], newCall())],
      ['load', () => Array.fromAsync(store.load())],
      ['changes', () => store.changes(position, 1)],
      ['history', () => store.history('service', 'a')],
      ['as_of', () => Array.fromAsync(store.asOf({ revision: 1 }))],
      ['compact', () => store.compact(1)],
      ['fork', () => store.fork(position)],
      ['adopt', () => store.adopt(randomUUID())],
      ['access', () => store.access.put(token)],
      ['access', () => store.access.load()],
      ['access', () => store.access.revoke(token.id, 'token:admin')],
      ['access', () => store.access.require()],
      ['set_mode', () => empty.setMode('open', 'seeding')],
      ['seed', () => empty.seed(point, [])],
      ['replay', () => empty.replay(position, [])],
      ['access', () => empty.access.seed({ requiredSince: null, tokens: [] })],
      ['migrate', async () => store.migrator?.status()],
      ['migrate', async () => store.migrator?.migrate({ dryRun: true })],
      ['migrate', async () => store.migrator?.verify()],
      ['inspect', async () => store.inspector?.inspect()],
    ]
    let before = await count()
    expect(before).toEqual({ open: 1 })
    for (const [name, call] of calls) {
      await call()
      const now = await count()
      expect(now[name], name).toBe((before[name] ?? 0) + 1)
      expect({ ...now, [name]: 0 }).toEqual({ ...before, [name]: 0 })
      before = now
    }
    // Closing asks the database nothing that anybody waits for.
    await store.close()
    expect(await count()).toEqual(before)
  })
})
