import fc from 'fast-check'
import semver from 'semver'
import { describe, expect, it } from 'vitest'
import { RANGE_LIMITS, rangeOf, versionTest } from '../../src/records/version-range.ts'
import { versionSet } from '../../src/records/version-set.ts'
import { atOnce } from '../../src/scheduling/pace.ts'

const digit = fc.integer({ min: 0, max: 3 })
const prerelease = fc.constantFrom('', '', '', '-0', '-alpha', '-alpha.1', '-alpha.2', '-beta')
const version = fc
  .tuple(digit, digit, digit, prerelease, fc.constantFrom('', '+build'))
  .map(([major, minor, patch, pre, build]) => `${major}.${minor}.${patch}${pre}${build}`)
const partial = fc.oneof(
  version,
  digit.map(String),
  fc.tuple(digit, digit).map((parts) => parts.join('.')),
  fc.constantFrom('*', 'x', '1.x', ''),
)
const comparator = fc
  .tuple(fc.constantFrom('', '=', '<', '<=', '>', '>=', '^', '~'), partial)
  .map((parts) => parts.join(''))
const alternative = fc.oneof(
  fc.array(comparator, { minLength: 1, maxLength: 3 }).map((parts) => parts.join(' ')),
  fc.tuple(partial, partial).map(([from, to]) => `${from} - ${to}`),
)
const range = fc.array(alternative, { minLength: 1, maxLength: 3 }).map((parts) => parts.join(' || '))

describe('a range of versions', () => {
  it('holds the versions that npm says it holds', () => {
    const holds = fc.property(range, version, (text, one) => {
      expect(versionTest(text)(one)).toBe(one === text || semver.satisfies(one, text))
    })
    fc.assert(holds, { numRuns: 5_000 })
  })

  it('holds one of many where it holds any of them', () => {
    const holdsAny = fc.property(range, fc.array(version, { maxLength: 8 }), (text, many) => {
      const set = atOnce(versionSet(new Set(many)))
      expect(rangeOf(text)?.holdsAnyOf(set) ?? false).toBe(many.some((one) => semver.satisfies(one, text)))
    })
    fc.assert(holdsAny, { numRuns: 5_000 })
  })

  it('is read up to 256 characters and 16 alternatives, and is only a text beyond', () => {
    const many = (count: number) => Array.from({ length: count }, (_, at) => `${at}`).join('||')
    expect(versionTest(many(RANGE_LIMITS.alternatives))('3.0.0')).toBe(true)
    expect(versionTest(many(RANGE_LIMITS.alternatives + 1))('3.0.0')).toBe(false)
    expect(versionTest('>=1.0.0 '.repeat(32).padEnd(256))('3.0.0')).toBe(true)
    expect(versionTest('>=1.0.0 '.repeat(32).padEnd(257))('3.0.0')).toBe(false)
    expect(versionTest('x'.repeat(300))('x'.repeat(300))).toBe(true)
  })

  it('is read once, however often it is asked about', () => {
    expect(rangeOf('^1.2.3')).toBe(rangeOf('^1.2.3'))
  })
})
