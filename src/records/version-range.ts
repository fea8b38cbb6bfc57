import semver, { type Comparator, type SemVer } from 'semver'
import type { VersionSet } from './version-set.ts'

/** The limits of a text that is read as a range. A longer text is compared as a version text. */
export const RANGE_LIMITS = { length: 256, alternatives: 16 } as const

/** How many parsed ranges are remembered. Parsing one takes as long as checking a hundred versions. */
const MAX_REMEMBERED = 1_000

/** One alternative of a range: all versions between two ends. */
interface Interval {
  readonly from: { readonly version: SemVer; readonly included: boolean } | undefined
  readonly to: { readonly version: SemVer; readonly included: boolean } | undefined
  /** A prerelease belongs to the range only if the range names a prerelease of the same release. These are the named ones. */
  readonly prereleasesOf: readonly SemVer[]
}

/** Whether a text is too long, or has too many alternatives, for a range. */
export function isTooLongForRange(text: string): boolean {
  return (
    text.length > RANGE_LIMITS.length ||
    text.split('||', RANGE_LIMITS.alternatives + 1).length > RANGE_LIMITS.alternatives
  )
}

/**
 * The range that a text describes, as npm reads it. `undefined` if the text describes no range, or is too long for one.
 * Such a text matches only a version with the same text.
 */
export function rangeOf(text: string): VersionRange | undefined {
  if (isTooLongForRange(text)) return undefined
  const known = remembered.get(text)
  if (known !== undefined) return known.range
  let range: VersionRange | undefined
  try {
    range = new VersionRange(new semver.Range(text))
  } catch {
    range = undefined
  }
  const [oldest] = remembered.keys()
  if (remembered.size >= MAX_REMEMBERED && oldest !== undefined) remembered.delete(oldest)
  remembered.set(text, { range })
  return range
}

const remembered = new Map<string, { readonly range: VersionRange | undefined }>()

/**
 * Reads the filter `version`.
 *
 * @returns a function that checks a version: it must be a semantic version within the range, or exactly the same text
 */
export function versionTest(filter: string): (version: string) => boolean {
  const range = rangeOf(filter)
  return (version) => version === filter || (range?.test(version) ?? false)
}

/**
 * A range of semver versions, as intervals with two ends. A version is checked with two comparisons, and a sorted list of
 * versions with a binary search.
 */
export class VersionRange {
  readonly #intervals: readonly Interval[]

  constructor(range: semver.Range) {
    this.#intervals = range.set.map(intervalOf)
  }

  /** Whether a version is in the range. A text that is not a semantic version never is. */
  test(text: string): boolean {
    const version = semver.parse(text)
    return version !== null && this.#intervals.some((interval) => holds(interval, version))
  }

  /** Whether the range contains at least one of the versions. */
  holdsAnyOf({ releases, prereleases }: VersionSet): boolean {
    return this.#intervals.some((interval) => {
      const { from, prereleasesOf } = interval
      const first = releases[firstFrom(releases, from)]
      if (first !== undefined && isBeforeEnd(interval, first)) return true
      return prereleasesOf.some((named) => {
        const ofRelease = { version: lowestPrerelease(named), included: true }
        const start = Math.max(firstFrom(prereleases, from), firstFrom(prereleases, ofRelease))
        const candidate = prereleases[start]
        return candidate !== undefined && isOfRelease(candidate, named) && isBeforeEnd(interval, candidate)
      })
    })
  }
}

function intervalOf(comparators: readonly Comparator[]): Interval {
  let [from, to]: [Interval['from'], Interval['to']] = [undefined, undefined]
  const prereleasesOf: SemVer[] = []
  for (const { operator, semver: version } of comparators) {
    // The comparator for any version has a symbol instead of a version.
    if (!(version instanceof semver.SemVer)) continue
    if (version.prerelease.length > 0 && !prereleasesOf.some((known) => isOfRelease(known, version)))
      prereleasesOf.push(version)
    const end = { version, included: operator !== '>' && operator !== '<' }
    if (!operator.startsWith('<') && (from === undefined || isNarrower(end, from, 1))) from = end
    if (!operator.startsWith('>') && (to === undefined || isNarrower(end, to, -1))) to = end
  }
  return { from, to, prereleasesOf }
}

type End = NonNullable<Interval['from']>

/** @param side 1 for lower ends, of which the higher one counts; -1 for upper ends */
function isNarrower(end: End, than: End, side: 1 | -1): boolean {
  const order = end.version.compare(than.version) * side
  return order > 0 || (order === 0 && !end.included)
}

function holds(interval: Interval, version: SemVer): boolean {
  const { from, prereleasesOf } = interval
  if (from !== undefined && !isBehindStart(from, version)) return false
  if (!isBeforeEnd(interval, version)) return false
  return version.prerelease.length === 0 || prereleasesOf.some((named) => isOfRelease(version, named))
}

function isBehindStart({ version: start, included }: End, version: SemVer): boolean {
  const order = version.compare(start)
  return order > 0 || (order === 0 && included)
}

function isBeforeEnd({ to }: Interval, version: SemVer): boolean {
  if (to === undefined) return true
  const order = version.compare(to.version)
  return order < 0 || (order === 0 && to.included)
}

function isOfRelease(version: SemVer, { major, minor, patch }: SemVer): boolean {
  return version.major === major && version.minor === minor && version.patch === patch
}

function lowestPrerelease({ major, minor, patch }: SemVer): SemVer {
  return new semver.SemVer(`${major}.${minor}.${patch}-0`)
}

/** Index of the first version after a start, in a sorted array. */
function firstFrom(versions: readonly SemVer[], start: End | undefined): number {
  if (start === undefined) return 0
  let [low, high] = [0, versions.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (isBehindStart(start, versions[middle] as SemVer)) high = middle
    else low = middle + 1
  }
  return low
}
