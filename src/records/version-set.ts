import semver, { type SemVer } from 'semver'
import { sortInSteps } from '../scheduling/sort-in-steps.ts'

/** Sorted versions: a binary search tells whether a range contains one of them. */
export interface VersionSet {
  /** Every version as it was written, semver or not. */
  readonly texts: ReadonlySet<string>
  readonly releases: readonly SemVer[]
  readonly prereleases: readonly SemVer[]
}

/** The number of versions in one step. A step takes less than a millisecond. */
const READ_AT_ONCE = 256

/** Sorts versions, in steps. */
export function* versionSet(texts: ReadonlySet<string>): Generator<undefined, VersionSet> {
  const parsed: { readonly version: SemVer; readonly index: number }[] = []
  for (const text of texts) {
    const version = semver.parse(text)
    if (version !== null) parsed.push({ version, index: parsed.length })
    if (parsed.length % READ_AT_ONCE === 0) yield
  }
  const releases: SemVer[] = []
  const prereleases: SemVer[] = []
  // Versions that differ only in their build are equal, and keep their order.
  const isBefore = (left: (typeof parsed)[number], right: (typeof parsed)[number]) =>
    (left.version.compare(right.version) || left.index - right.index) < 0
  let count = 0
  for (const sorted of sortInSteps(parsed, isBefore)) {
    if (sorted !== undefined)
      (sorted.version.prerelease.length > 0 ? prereleases : releases).push(sorted.version)
    if (sorted === undefined || ++count % READ_AT_ONCE === 0) yield
  }
  return { texts, releases, prereleases }
}
