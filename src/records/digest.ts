import { hash } from 'node:crypto'

/**
 * The digest of a revision. It covers only ids, so no two languages have to agree about bytes of JSON.
 *
 * @param previous digest of the previous revision, or the lineage for revision 1
 */
export function nextDigest(previous: string, commitId: string): string {
  return hash('sha256', previous + commitId, 'hex')
}
