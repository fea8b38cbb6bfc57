import type { AsOfPage, Head, Moment, SeedPoint, Store } from '../../database/store.ts'
import { CoordinatorError } from '../../errors.ts'
import type { Position, Revision, StoredRecord } from '../../records/record.ts'
import { recordSize } from '../format/write-base.ts'
import { inParts } from '../restore/in-parts.ts'
import { withPatience } from '../restore/with-patience.ts'
import { type MoveContext, RECORDS_PER_CALL } from './move-context.ts'
import { readOneAhead } from './read-one-ahead.ts'
import { whileItMoves } from './while-it-moves.ts'

/** No record has this key: only the position of the answer matters. */
const NOTHING = { kind: 'none', id: 'none' }

/**
 * Stores the records of one moment of the source in the target, which is in mode `seeding`: of the oldest moment that the source can tell,
 * so that the copy knows the same history. A seed that was interrupted goes on, and one at another moment is replaced.
 *
 * While the records are read, the source may forget that moment. Then the next attempt begins at a younger one, because a source that
 * forgets often would never let the seed end.
 *
 * @throws COORD_STORE_MODE; what the stores throw
 */
export async function seedCopy(context: MoveContext): Promise<void> {
  for (let attempt = 0; ; attempt += 1)
    try {
      return await whileItMoves(context.patience, (moved) => seedOnce(context, { attempt, moved }))
    } catch (thrown) {
      if (!hasMovedOn(thrown)) throw thrown
    }
}

/** The source has forgotten the moment, or began a new lineage. */
function hasMovedOn(thrown: unknown): boolean {
  return (
    thrown === lineageChanged ||
    (thrown instanceof CoordinatorError && thrown.code === 'COORD_REVISION_COMPACTED')
  )
}

const lineageChanged = new Error('The source began a new lineage.')

async function seedOnce(
  context: MoveContext,
  { attempt, moved }: { readonly attempt: number; readonly moved: () => void },
): Promise<void> {
  const { from, to, patience, onProgress } = context
  const head = await withPatience(patience, () => from.head())
  const point = await pointOf(context, { head, revision: chooseRevision(head, attempt) })
  const { revision } = point.position
  const headRevision = head.position.revision
  let records = 0
  // A store without records has a position, too.
  await withPatience(patience, () => to.seed(point, []))
  const parts = inParts(recordsAt(from, point.position), { most: RECORDS_PER_CALL, sizeOf: recordSize })
  for await (const part of readOneAhead(parts)) {
    await withPatience(patience, () => to.seed(point, part))
    records += part.length
    patience.signal.throwIfAborted()
    moved()
    onProgress?.({ phase: 'seed', records, revision, headRevision })
  }
}

/** The floor, then the middle between floor and head, then three quarters, and so on. */
function chooseRevision({ floor, position: { revision } }: Head, attempt: number): Revision {
  return revision - Math.floor((revision - floor) / 2 ** attempt)
}

async function* recordsAt(from: Store, position: Position): AsyncGenerator<readonly StoredRecord[]> {
  for await (const page of from.asOf({ revision: position.revision })) yield of(page, position).records
}

/** @throws lineageChanged */
function of(page: AsOfPage, { lineage, digest }: Position): AsOfPage {
  if (page.position.lineage !== lineage || page.position.digest !== digest) throw lineageChanged
  return page
}

async function pointOf(
  context: MoveContext,
  { head, revision }: { readonly head: Head; readonly revision: Revision },
): Promise<SeedPoint> {
  const { lineage } = head.position
  const position = await positionAt(context, { revision })
  if (position.lineage !== lineage) throw lineageChanged
  return { position, at: await timeOf(context, { head, position }), ancestors: head.ancestors }
}

function positionAt({ from, patience }: MoveContext, moment: Moment): Promise<Position> {
  return withPatience(patience, async () => {
    for await (const { position } of from.asOf(moment, NOTHING)) return position
    throw noAnswer()
  })
}

function noAnswer(): CoordinatorError {
  return new CoordinatorError('COORD_STORE_REPLY', {
    detail: 'The database answered a moment of the past with nothing.',
  })
}

/**
 * The time of the entry of a revision. The entry of the floor cannot be read, so the time is searched: it is the first at which the
 * source knows that revision.
 */
async function timeOf(
  context: MoveContext,
  { head, position }: { readonly head: Head; readonly position: Position },
): Promise<number> {
  if (position.revision === head.position.revision) return head.at
  if (position.revision === 0) {
    const reply = await withPatience(context.patience, () => context.from.changes(position, 1))
    return (reply.status === 'ok' ? reply.entries[0]?.at : undefined) ?? head.at
  }
  let [before, at] = [0, head.at]
  while (at - before > 1) {
    const middle = Math.floor((before + at) / 2)
    if (await isKnownAt(context, { at: middle, revision: position.revision })) at = middle
    else before = middle
  }
  return at
}

async function isKnownAt(
  context: MoveContext,
  { at, revision }: { readonly at: number; readonly revision: Revision },
): Promise<boolean> {
  try {
    return (await positionAt(context, { at })).revision >= revision
  } catch (thrown) {
    if (thrown instanceof CoordinatorError && thrown.code === 'COORD_REVISION_COMPACTED') return false
    throw thrown
  }
}
