import type { Position, Revision } from '../records/record.ts'
import type { Head, OffTrack } from './store.ts'

/**
 * Whether a position of a caller is in this history, between floor and head. If not, the reason.
 *
 * @param digestAt the digest of a revision from the floor to the head (revision 0: the lineage)
 */
export function locatePosition(
  after: Position,
  head: Head,
  digestAt: (revision: Revision) => string | undefined,
): OffTrack | undefined {
  if (after.lineage !== head.position.lineage) return { status: 'diverged', head }
  if (after.revision > head.position.revision) return { status: 'ahead', head }
  if (after.revision < head.floor) return { status: 'compacted', head }
  const digest = after.revision === head.position.revision ? head.position.digest : digestAt(after.revision)
  return digest === after.digest ? undefined : { status: 'diverged', head }
}
