import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { NOW } from '../../src/database/store.ts'
import type { Entry, StoredRecord } from '../../src/records/record.ts'
import { put, remove } from '../conformance/build.ts'
import { type Caller, loadAll } from '../conformance/caller.ts'
import { caughtUp, pauseReplay, readsOf, recordsAt, replicaServers, resumeReplay } from './with-replica.ts'

/** The records at a revision, from the entries that the caller was given: `id` and revision of each. */
function stateAt(entries: readonly Entry[], revision: number): readonly (readonly [string, number])[] {
  const state = new Map<string, number>()
  for (const entry of entries.slice(0, revision))
    for (const write of entry.writes) {
      if (write.op === 'put') state.set(write.id, entry.revision)
      else state.delete(write.id)
    }
  return [...state].sort(([one], [two]) => (one < two ? -1 : 1))
}

const shown = (records: readonly StoredRecord[]) => records.map(({ id, revision }) => [id, revision])

describe('random reads through replicas', () => {
  const servers = replicaServers()

  it('give what the entries say, while the replay stops and goes on', async () => {
    const { store, caller } = await servers.open({ pageSize: 3, replicaCheckMs: 50 }, [
      servers.standby,
      servers.primary.url('postgres', 'postgres'),
    ])
    // A standby alone, so that the primary in disguise cannot answer for it.
    const { store: strict } = await servers.open({ pageSize: 3 })
    const step = fc.record({
      does: fc.constantFrom(
        'write',
        'write',
        'remove',
        'asOf',
        'asOf',
        'at',
        'now',
        'history',
        'before',
        'load',
        'pause',
        'resume',
      ),
      id: fc.integer({ min: 0, max: 8 }),
      part: fc.double({ min: 0, max: 1, noNaN: true }),
    })
    const steps = fc.sample(step, { numRuns: 250, seed: 7 })
    let value = 0
    for (const { does, id: number, part } of steps) {
      const id = `r${number}`
      const newest = caller.position.revision
      const revision = Math.floor(part * newest)
      // The strict store learns what the first one wrote, as a coordinator does.
      if (!['write', 'remove', 'pause', 'resume'].includes(does)) await follow(strict, caller)
      switch (does) {
        case 'write':
          value += 1
          await caller.write(put(id, { value }))
          break
        case 'remove':
          await caller.write(remove(id))
          break
        case 'asOf':
          for (const reader of [store, strict])
            expect(shown(await recordsAt(reader, { revision }))).toEqual(stateAt(caller.entries, revision))
          break
        case 'at': {
          const entry = caller.entries[revision]
          if (entry === undefined) break
          const last = caller.entries.findLast(({ at }) => at <= entry.at) as Entry
          for (const reader of [store, strict])
            expect(shown(await recordsAt(reader, { at: entry.at }))).toEqual(
              stateAt(caller.entries, last.revision),
            )
          break
        }
        case 'now':
          for (const reader of [store, strict])
            expect(shown(await recordsAt(reader, NOW))).toEqual(stateAt(caller.entries, newest))
          break
        case 'history':
        case 'before': {
          const before = does === 'before' ? { before: revision } : {}
          const wrote = caller.entries
            .filter(
              ({ writes, revision: at }) => writes[0]?.id === id && (does === 'history' || at < revision),
            )
            .map((entry) => entry.revision)
          for (const reader of [store, strict])
            expect(
              (await reader.history('service', id, before)).entries.map((entry) => entry.revision),
            ).toEqual(wrote.toReversed())
          break
        }
        case 'load':
          for (const reader of [store, strict])
            expect(shown((await loadAll(reader)).records)).toEqual(stateAt(caller.entries, newest))
          break
        case 'pause':
          await pauseReplay(servers.standby)
          break
        case 'resume':
          await resumeReplay(servers.standby)
          break
      }
    }
    await resumeReplay(servers.standby)
    await caughtUp(servers.primary, servers.standby)
    // Both ways must have been taken, or the comparison says nothing.
    expect(readsOf(strict, 'as_of').answered).toBeGreaterThan(10)
    expect(readsOf(strict, 'as_of').behind).toBeGreaterThan(1)
    expect(readsOf(strict, 'history').answered).toBeGreaterThan(5)
    expect(readsOf(strict, 'as_of')).not.toHaveProperty('other_history')
  })
})

async function follow(store: Parameters<typeof recordsAt>[0], { position }: Caller): Promise<void> {
  const { revision } = (await store.head()).position
  expect(revision).toBe(position.revision)
}
