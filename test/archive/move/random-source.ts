import { randomUUID } from 'node:crypto'
import { expect } from 'vitest'
import type { Store } from '../../../src/database/store.ts'
import type { Commit, Entry, Write } from '../../../src/records/record.ts'
import { put, remove, tokenOf } from '../../conformance/build.ts'
import { Caller, recordsAsOf } from '../../conformance/caller.ts'

/** Numbers that look random, and are the same for the same seed. */
export function numbers(seed: number): (below: number) => number {
  let state = seed * 2_654_435_761 + 1
  return (below) => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5) | 0
    return ((state ^ (state >>> 13)) >>> 0) % below
  }
}

/** Commits that create, change, delete and create again a few records, some with an `Idempotency-Key`. */
export function randomCommits(count: number, seed: number, keys = 12): Commit[] {
  const next = numbers(seed)
  return Array.from({ length: count }, (_, index) => {
    const writes = new Map<string, Write>()
    for (let write = 0; write <= next(3); write += 1) {
      const id = `service-${next(keys)}`
      const options = { kind: next(4) === 0 ? 'note' : 'service' }
      const isRemoved = next(4) === 0
      writes.set(
        `${options.kind} ${id}`,
        isRemoved ? remove(id, options) : put(id, { index, ü: next(99) }, options),
      )
    }
    const commit = { commitId: randomUUID(), actor: `actor-${next(3)}`, writes: [...writes.values()] }
    return next(3) === 0 ? { ...commit, fingerprint: `print-${index}` } : commit
  })
}

/** Fills a store with a random history, with tokens, and with a floor above 0. @returns its commits that were stored, in order */
export async function fill(store: Store, { count = 60, seed = 1, floor = 20 } = {}): Promise<Commit[]> {
  await store.open()
  const caller = await Caller.at(store)
  const stored: Commit[] = []
  for (const commit of randomCommits(count, seed)) {
    const [result] = await caller.send(commit)
    if (result?.outcome === 'accepted') stored.push(commit)
  }
  await store.access.put(tokenOf('kept'))
  await store.access.put(tokenOf('revoked'))
  await store.access.revoke(tokenOf('revoked').id, 'test')
  await store.access.require()
  if (floor > 0) await store.compact(floor)
  return stored
}

/** Asserts that two stores tell the same of everything from a revision on: records, journal, histories, times, tokens. */
export async function expectSame(from: Store, to: Store): Promise<void> {
  const [source, target] = [await from.head(), await to.head()]
  expect(target.position).toEqual(source.position)
  expect(target.ancestors).toEqual(source.ancestors)
  expect(target.at).toBe(source.at)
  expect(target.floor).toBeGreaterThanOrEqual(source.floor)
  const ids = new Set<string>()
  for (let { floor } = target; floor <= target.position.revision; floor += 1) {
    const there = await recordsAsOf(from, { revision: floor })
    const here = await recordsAsOf(to, { revision: floor })
    expect(here.records, `the records of revision ${floor}`).toEqual(there.records)
    expect(here.position).toEqual(there.position)
    for (const { kind, id } of here.records) ids.add(JSON.stringify([kind, id]))
  }
  for (const text of ids) {
    const [kind, id] = JSON.parse(text) as [string, string]
    const there = await from.history(kind, id)
    const here = await to.history(kind, id)
    const kept = <T>(page: { entries: readonly Entry[] }, values: readonly T[]) =>
      values.filter((_, index) => (page.entries[index]?.revision ?? 0) > target.floor)
    expect(kept(here, here.entries)).toEqual(kept(there, there.entries))
    expect(kept(here, here.previous)).toEqual(kept(there, there.previous))
  }
  const after = (await recordsAsOf(to, { revision: target.floor })).position
  expect(await to.changes(after, 10_000)).toMatchObject({ entries: await entriesAfter(from, after) })
  const { version: _, ...tokens } = await from.access.load()
  expect(await to.access.load()).toMatchObject(tokens)
}

async function entriesAfter(store: Store, after: Parameters<Store['changes']>[0]): Promise<readonly Entry[]> {
  const reply = await store.changes(after, 10_000)
  if (reply.status !== 'ok') throw new Error(`The source answered ${reply.status}.`)
  return reply.entries
}
