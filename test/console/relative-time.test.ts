import { describe, expect, it } from 'vitest'
import { relativeTime } from '../../console/src/parts/relative-time.ts'

const present = Date.parse('2026-11-30T12:00:00Z')
const minute = 60_000
const day = 1_440 * minute

describe('relative times of the console', () => {
  it.each([
    [-3_000, 'just now'],
    [-40_000, '40 seconds ago'],
    // The present of the page is up to ten seconds old.
    [-(10 * minute - 5_000), '10 minutes ago'],
    [-(60 * minute - 5_000), '1 hour ago'],
    [-(90 * minute), '1 hour ago'],
    [90 * day - 60_000, 'in 89 days'],
    [90 * day, 'in 90 days'],
    [-130 * day, '4 months ago'],
  ])('%d ms from now is %s', (ms, words) => {
    expect(relativeTime(present + ms, present)).toBe(words)
  })
})
