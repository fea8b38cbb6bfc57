// All of `semver` would be 50 modules.
import SemVer from 'semver/classes/semver.js'
import parse from 'semver/functions/parse.js'

/** How a text is read as a version, to compare it with ranges. A text without a reading cannot be compared. */
export interface VersionReading {
  /** Compared with every range. */
  readonly version?: SemVer
  /**
   * The release of an image variant, such as 8.1.9 for `8.1.9-alpine`. Compared only with ranges that name no prerelease, where npm would
   * take the variant for one.
   */
  readonly variantOf?: SemVer
}

/** Up to four numbers. A longer number is no version but a date or a hash. */
const numbers = /^v?(\d{1,4})(?:\.(\d{1,6}))?(?:\.(\d{1,6}))?(?:\.\d{1,6})?(?:([-+])(.*))?$/
/** A year and a month, perhaps with a day. */
const date = /^v?(?:19|20)\d\d([.-])(?:0?[1-9]|1[0-2])(?:\1(?:0?[1-9]|[12]\d|3[01])(?!\d)|(?![\d.]))/
/** Words after a version that announce it. Other words, such as `alpine`, name a variant of it. */
const announcing =
  /(?:^|[._+-])(?:a|alpha|b|beta|c|canary|cr|dev|devel|develop|ea|edge|experimental|m|milestone|next|nightly|pre|preview|prerelease|rc|snapshot|test|unstable)(?=\d*(?:[._+-]|$))/i

/**
 * Reads a version as people write them: semantic ones, and image tags such as `14.11`, `v1.2` and `8.1.9-alpine`. Dates, hashes and words such
 * as `latest` have no reading: `semver.coerce` would take the hash `9f86d08` for 9.0.0.
 */
export function readVersion(text: string): VersionReading {
  const exact = parse(text)
  if (exact !== null) {
    const { prerelease, major, minor, patch } = exact
    const isVariant = typeof prerelease[0] === 'string' && !announcing.test(prerelease.join('.'))
    return isVariant ? { version: exact, variantOf: release(major, minor, patch) } : { version: exact }
  }
  const [, major, minor = 0, patch = 0, sign, rest = ''] = numbers.exec(text) ?? []
  if (major === undefined || date.test(text)) return {}
  const version = release(Number(major), Number(minor), Number(patch))
  if (sign !== '-') return { version }
  if (!announcing.test(rest)) return { variantOf: version }
  const announced = parse(`${version.version}-${rest}`)
  return announced === null ? {} : { version: announced }
}

function release(major: number, minor: number, patch: number): SemVer {
  return new SemVer(`${major}.${minor}.${patch}`)
}
