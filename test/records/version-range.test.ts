import fc from 'fast-check'
import semver from 'semver'
import { describe, expect, it } from 'vitest'
import { readVersion } from '../../src/records/read-version.ts'
import { judgeRange, RANGE_LIMITS, rangeOf, versionTest } from '../../src/records/version-range.ts'
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
      const holds = many.some((one) => one === text || semver.satisfies(one, text))
      const otherwise = semver.validRange(text) === null ? 'unjudged' : 'violated'
      expect(judgeRange(text, set)).toBe(holds ? 'fulfilled' : otherwise)
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

describe('a version that is not semantic', () => {
  const verdict = (range: string, one: string) => judgeRange(range, atOnce(versionSet(new Set([one]))))

  it.each([
    ['>=14', '14.11', 'fulfilled'],
    ['^8', '8.1.9-alpine', 'fulfilled'],
    ['^8', '8.1.9-alpine3.19', 'fulfilled'],
    ['^9', '8.1.9-alpine', 'violated'],
    ['^1', 'latest', 'unjudged'],
    ['^1', '9f86d08', 'unjudged'],
    ['>=9', '9f86d081884c7d65', 'unjudged'],
    ['^1.2', 'v1.2', 'fulfilled'],
    ['1.2.3', '1.2.3.4', 'fulfilled'],
    ['^16', '16.4-1.pgdg120+1', 'fulfilled'],
    ['>=2019', '2022-latest', 'fulfilled'],
    ['>=3', '3-management', 'fulfilled'],
    ['>=1', '20240115', 'unjudged'],
    ['>=1', '2024-01-15', 'unjudged'],
    ['>=1', '2024.01.15', 'unjudged'],
    ['>=1', '2024.01.15.2', 'unjudged'],
    ['>=1', 'RELEASE.2024-01-16T16-07-38Z', 'unjudged'],
    // A semantic version stays one, whatever it looks like.
    ['>=2024', '2024.1.15', 'fulfilled'],
    ['^2024', '2024.10.15', 'fulfilled'],
    // What announces a version is not yet the version, as npm says.
    ['^2', '2.0.0-rc.1', 'violated'],
    ['>=14', '14.0-rc1', 'violated'],
    ['^1', '1.0.0-SNAPSHOT', 'violated'],
    ['^1', '1.0.0-0.3.7', 'violated'],
    ['>=14.0.0-rc.0', '14.0-rc1', 'fulfilled'],
    ['>=8.1.9-alpine', '8.1.9-alpine', 'fulfilled'],
    // Whether a variant comes before such a prerelease nobody can say.
    ['>=8.1.0-rc.1', '8.1-alpine', 'unjudged'],
    ['not a range', '1.0.0', 'unjudged'],
    ['not a range', 'not a range', 'fulfilled'],
    ['latest', 'latest', 'fulfilled'],
    [Array.from({ length: 17 }, () => '9').join('||'), '1.0.0', 'unjudged'],
  ])('%s against %s is %s', (range, one, expected) => {
    expect(verdict(range, one)).toBe(expected)
    expect(versionTest(range)(one)).toBe(expected === 'fulfilled')
  })

  it('makes a set unjudged where no other version fulfills the range', () => {
    const judge = (...texts: string[]) => judgeRange('^1', atOnce(versionSet(new Set(texts))))
    expect(judge('latest', '2.0.0')).toBe('unjudged')
    expect(judge('latest', '1.4')).toBe('fulfilled')
    expect(judge('2.0', '3.1-slim')).toBe('violated')
  })

  it('counts in a set as it does alone', () => {
    const tag = fc.oneof(
      version,
      fc.constantFrom(
        'latest',
        '1.2',
        'v1',
        '1.2.3.4',
        '1.2-slim',
        '2.1.0-alpine',
        '2-rc1',
        '2024-01-15',
        'abc',
      ),
    )
    fc.assert(
      fc.property(range, fc.array(tag, { minLength: 1, maxLength: 6 }), (text, many) => {
        const alone = many.map((one) =>
          one === text ? 'fulfilled' : (rangeOf(text)?.judge(readVersion(one)) ?? 'unjudged'),
        )
        const together = alone.includes('fulfilled')
          ? 'fulfilled'
          : alone.includes('unjudged')
            ? 'unjudged'
            : 'violated'
        expect(judgeRange(text, atOnce(versionSet(new Set(many))))).toBe(together)
      }),
      { numRuns: 3_000 },
    )
  })
})
