import type { Comparator } from 'semver'
import Range from 'semver/classes/range.js'
import SemVer from 'semver/classes/semver.js'
import { readVersion, type VersionReading } from './read-version.ts'
import type { VersionSet } from './version-set.ts'

/** What is known about a range and a version. `unjudged`: one of them is no version that can be compared, such as `latest` or a hash. */
export type Verdict = 'fulfilled' | 'violated' | 'unjudged'

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
    range = new VersionRange(new Range(text))
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
 * @returns a function that checks a version: it must be within the range, or exactly the same text
 */
export function versionTest(filter: string): (version: string) => boolean {
  const range = rangeOf(filter)
  return (version) => version === filter || range?.judge(readVersion(version)) === 'fulfilled'
}

/** Judges whether one of some versions fulfills a range. @param range as a registration declares it */
export function judgeRange(range: string, versions: VersionSet): Verdict {
  return versions.texts.has(range) ? 'fulfilled' : (rangeOf(range)?.judgeSet(versions) ?? 'unjudged')
}

/**
 * A range of semver versions, as intervals with two ends. A version is checked with two comparisons, and a sorted list of
 * versions with a binary search.
 */
export class VersionRange {
  readonly #intervals: readonly Interval[]
  /** Whether the range names a prerelease. Image variants cannot be compared with it. */
  readonly #namesPrerelease: boolean

  constructor(range: Range) {
    this.#intervals = range.set.map(intervalOf)
    this.#namesPrerelease = range.set.some((comparators) => comparators.some(namesPrerelease))
  }

  judge({ version, variantOf }: VersionReading): Verdict {
    const variant = this.#namesPrerelease ? undefined : variantOf
    if (version === undefined && variant === undefined) return 'unjudged'
    const isIn = (one: SemVer | undefined) =>
      one !== undefined && this.#intervals.some((interval) => holds(interval, one))
    return isIn(version) || isIn(variant) ? 'fulfilled' : 'violated'
  }

  /** Judges whether one of the versions fulfills the range. */
  judgeSet({ releases, prereleases, variants, unread, onlyVariants }: VersionSet): Verdict {
    if (this.#holdsAnyOf({ releases, prereleases })) return 'fulfilled'
    if (!this.#namesPrerelease && this.#holdsAnyOf({ releases: variants, prereleases: [] }))
      return 'fulfilled'
    return unread || (onlyVariants && this.#namesPrerelease) ? 'unjudged' : 'violated'
  }

  #holdsAnyOf({ releases, prereleases }: Pick<VersionSet, 'releases' | 'prereleases'>): boolean {
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
    if (!(version instanceof SemVer)) continue
    if (version.prerelease.length > 0 && !prereleasesOf.some((known) => isOfRelease(known, version)))
      prereleasesOf.push(version)
    const end = { version, included: operator !== '>' && operator !== '<' }
    if (!operator.startsWith('<') && (from === undefined || isNarrower(end, from, 1))) from = end
    if (!operator.startsWith('>') && (to === undefined || isNarrower(end, to, -1))) to = end
  }
  return { from, to, prereleasesOf }
}

/** npm ends a range such as `^1` with `<2.0.0-0`. That does not name a prerelease. */
function namesPrerelease({ operator, semver: version }: Comparator): boolean {
  if (!(version instanceof SemVer) || version.prerelease.length === 0) return false
  return operator !== '<' || version.prerelease.length > 1 || version.prerelease[0] !== 0
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
  return new SemVer(`${major}.${minor}.${patch}-0`)
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
