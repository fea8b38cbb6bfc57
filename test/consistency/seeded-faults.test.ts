import { describe, expect, it } from 'vitest'
import { MemoryStore } from '../../src/database/memory/store.ts'
import type { Store } from '../../src/database/store.ts'
import { runConsistency } from './consistency-run.ts'
import {
  answersOldHeads,
  answersWrongRevisions,
  appliesLate,
  dropsExpectations,
  forgetsFirstResults,
  losesWrites,
  mistakesMoments,
} from './seeded-store.ts'
import { withCoordinators } from './several-coordinators.ts'

/** A write was told with a revision that is not its own. */
const misplaced = /revision \d+ (?:is not|is the commit of|was told to|does something|stores another)/

const seeds: readonly [what: string, seed: (store: Store) => Store, found: RegExp][] = [
  ['drops expectations', dropsExpectations, /No order of the \d+ calls/],
  ['loses writes that it acknowledged', losesWrites, misplaced],
  ['applies late what it refused', appliesLate, /it was denied, and/],
  ['answers a write with a wrong revision', answersWrongRevisions, misplaced],
  ['tells a history with the head of another moment', mistakesMoments, /the history at revision/],
  ['answers an older head than it has', answersOldHeads, /No order of the \d+ calls/],
  ['gives another first result to who asks again', forgetsFirstResults, /was answered .* and again/],
]

/** A fault that depends on what happens in the milliseconds after it may stay without a victim: an older head in half of the runs. */
const RUNS = 20

async function faultsOf(seed: (store: Store) => Store): Promise<readonly string[]> {
  const store = new MemoryStore()
  let found: readonly string[] = []
  // Each connection has the fault: what one of them makes of the database must not be mended by another. The last one takes no
  // writes, and so is behind as long as it does not ask.
  await withCoordinators([seed(store), seed(store), seed(store)], async (scopes) => {
    const urls = scopes.map(({ url }) => url)
    found = (await runConsistency({ urls, calls: 240, clients: 6, records: 2, writable: 2 })).faults
  })
  return found
}

describe('the checker', () => {
  it.each(seeds)('finds a store that %s', async (_what, seed, found) => {
    const faults: string[] = []
    for (let runs = 0; runs < RUNS && !faults.some((fault) => found.test(fault)); runs += 1)
      faults.push(...(await faultsOf(seed)))
    expect(faults.filter((fault) => found.test(fault)).length, faults.slice(0, 5).join('\n')).toBeGreaterThan(
      0,
    )
  })
})
