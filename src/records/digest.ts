import { hash } from 'node:crypto'

/**
 * The digest of a revision: over ids only, so that no language has to agree with another about bytes of JSON.
 *
 * @param previous digest of the revision before, or the lineage for revision 1
 */
export function nextDigest(previous: string, commitId: string): string {
  return hash('sha256', previous + commitId, 'hex')
}
