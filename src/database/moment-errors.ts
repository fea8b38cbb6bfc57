import { CoordinatorError } from '../errors.ts'
import type { Revision } from '../records/record.ts'

/** The moment is before the floor. */
export function compactedMoment(floor: Revision): CoordinatorError {
  return new CoordinatorError('COORD_REVISION_COMPACTED', {
    detail: `History before revision ${floor} is no longer kept.`,
    extra: { floor },
  })
}

/** @param asked the moment as the subject of a sentence: `Revision 7` */
export function futureMoment(asked: string, head: Revision): CoordinatorError {
  return new CoordinatorError('COORD_REVISION_FUTURE', {
    detail: `${asked} does not exist yet; the newest is ${head}.`,
    extra: { head },
  })
}
