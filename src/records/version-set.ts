import type { SemVer } from 'semver'
import { sortInSteps } from '../scheduling/sort-in-steps.ts'
import { readVersion } from './read-version.ts'

/** Sorted versions: a binary search tells whether a range contains one of them. */
export interface VersionSet {
  /** Every version as it was written, readable or not. */
  readonly texts: ReadonlySet<string>
  readonly releases: readonly SemVer[]
  readonly prereleases: readonly SemVer[]
  /** The releases of image variants; see `VersionReading`. */
  readonly variants: readonly SemVer[]
  /** Whether there is a text without any reading. */
  readonly unread: boolean
  /** Whether there is a text that can only be read as a variant. */
  readonly onlyVariants: boolean
}

/** The number of versions in one step. A step takes less than a millisecond. */
const READ_AT_ONCE = 256

interface Read {
  readonly version: SemVer
  readonly index: number
  readonly isVariant: boolean
}

/** Sorts versions, in steps. */
export function* versionSet(texts: ReadonlySet<string>): Generator<undefined, VersionSet> {
  const read: Read[] = []
  let [count, unread, onlyVariants] = [0, false, false]
  for (const text of texts) {
    const { version, variantOf } = readVersion(text)
    if (version !== undefined) read.push({ version, index: read.length, isVariant: false })
    else if (variantOf === undefined) unread = true
    else onlyVariants = true
    if (variantOf !== undefined) read.push({ version: variantOf, index: read.length, isVariant: true })
    if (++count % READ_AT_ONCE === 0) yield
  }
  const releases: SemVer[] = []
  const prereleases: SemVer[] = []
  const variants: SemVer[] = []
  // Versions that differ only in their build are equal, and keep their order.
  const isBefore = (left: Read, right: Read) =>
    (left.version.compare(right.version) || left.index - right.index) < 0
  count = 0
  for (const sorted of sortInSteps(read, isBefore)) {
    if (sorted !== undefined) {
      const { version, isVariant } = sorted
      const list = isVariant ? variants : version.prerelease.length > 0 ? prereleases : releases
      list.push(version)
    }
    if (sorted === undefined || ++count % READ_AT_ONCE === 0) yield
  }
  return { texts, releases, prereleases, variants, unread, onlyVariants }
}
