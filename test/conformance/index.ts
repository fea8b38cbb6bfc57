/**
 * The conformance suite of the Store port: every method, every parameter, every answer, for any backend.
 *
 *     // my-store.test.ts, run by Vitest
 *     import { describeStore } from '@coordinator/server/conformance'
 *     import { myBackend } from './my-backend.ts'
 *
 *     describeStore(myBackend)
 *
 * Needs `vitest` and `fast-check` beside this package.
 */
import { afterAll, beforeEach, describe } from 'vitest'
import { ancestors } from './ancestors.ts'
import { attempts } from './attempts.ts'
import type { ConformanceBackend } from './backend.ts'
import { canonicalBytes } from './canonical-bytes.ts'
import { clock } from './clock.ts'
import { commitIds } from './commit-ids.ts'
import { commits } from './commits.ts'
import { compaction } from './compaction.ts'
import { concurrency } from './concurrency.ts'
import { expectations } from './expectations.ts'
import { following } from './following.ts'
import { forks } from './forks.ts'
import { frozenStores } from './frozen-stores.ts'
import { histories } from './histories.ts'
import { largeRevisions } from './large-revisions.ts'
import { loads } from './loads.ts'
import { modes } from './modes.ts'
import { moments } from './moments.ts'
import { offTracks } from './off-track.ts'
import { opening } from './opening.ts'
import { properties } from './property.ts'
import { refusals } from './refusals.ts'
import { repeatedSeeds } from './repeated-seeds.ts'
import { replayedIds } from './replayed-ids.ts'
import { replays } from './replays.ts'
import { seededTokens } from './seeded-tokens.ts'
import { seeds } from './seeds.ts'
import { tokens } from './tokens.ts'
import { unchangedIds } from './unchanged-ids.ts'

export type { ConformanceBackend, Subject, SubjectOptions } from './backend.ts'

const concerns = [
  opening,
  commits,
  expectations,
  commitIds,
  attempts,
  unchangedIds,
  refusals,
  following,
  offTracks,
  forks,
  ancestors,
  loads,
  histories,
  moments,
  compaction,
  clock,
  largeRevisions,
  canonicalBytes,
  modes,
  frozenStores,
  seeds,
  repeatedSeeds,
  replays,
  replayedIds,
  tokens,
  seededTokens,
  concurrency,
  properties,
] as const satisfies readonly ((backend: ConformanceBackend) => void)[]

/** Registers every case for a backend, and hands over at the end how many of them ran. @default prints the number */
export function describeStore(
  backend: ConformanceBackend,
  counted: (cases: number) => void = (cases) =>
    console.log(`conformance: ${backend.name} ran ${cases} cases`),
): void {
  describe(`conformance of ${backend.name}`, () => {
    let cases = 0
    beforeEach(() => {
      cases += 1
    })
    afterAll(() => counted(cases))
    for (const concern of concerns) concern(backend)
  })
}
