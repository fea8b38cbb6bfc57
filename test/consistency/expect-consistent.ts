import { expect } from 'vitest'
import type { Verdict } from './consistency-run.ts'

/** Nothing that clients were told contradicts anything else, and the run was worth its name. */
export function expectConsistent(verdict: Verdict, least: { readonly known: number }): void {
  const { faults, ...figures } = verdict
  console.log(JSON.stringify(figures))
  expect(faults).toEqual([])
  expect(figures.known).toBeGreaterThan(least.known)
  expect(figures.unknown).toBeLessThan(figures.known / 5)
}
