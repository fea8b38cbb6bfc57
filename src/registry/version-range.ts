import semver from 'semver'

/**
 * Reads the filter `version`.
 *
 * @returns whether a version fulfils it: as a semantic version within the range, or as exactly the same text
 */
export function versionTest(filter: string): (version: string) => boolean {
  const range = rangeOf(filter)
  return (version) => version === filter || (range?.test(version) ?? false)
}

/** The range that a text describes; `undefined` where it describes none, and can only be the text of a version. */
export function rangeOf(text: string): semver.Range | undefined {
  try {
    return new semver.Range(text)
  } catch {
    return undefined
  }
}
