import type { OffTrack } from '../../database/store.ts'
import type { Entry, Position } from '../../records/record.ts'
import { entrySize } from '../format/write-log.ts'
import { withPatience } from '../restore/with-patience.ts'
import { ENTRIES_PER_CALL, type MoveContext, type MovePhase } from './move-context.ts'

/** How much text one call may carry, in UTF-16 code units. A single larger entry is a call of its own. */
const TEXT_PER_CALL = 4_194_304

export interface Replayed {
  readonly status: 'ok'
  /** What both stores have. */
  readonly position: Position
  /** The version of the tokens of the source. */
  readonly accessVersion: string
}

/** One of the two stores does not have the position that the other one has. */
export interface LostTrack {
  readonly status: OffTrack['status']
}

/**
 * Gives the target what the source has after a position, up to the newest entry. The next page is read while the target stores one.
 *
 * @param after what both stores have
 * @throws COORD_STORE_MODE if the target is no copy any more
 */
export async function replayJournal(
  { from, to, patience, onProgress }: MoveContext,
  after: Position,
  phase: MovePhase = 'replay',
): Promise<Replayed | LostTrack> {
  const read = (position: Position) => {
    const reply = withPatience(patience, () => from.changes(position, ENTRIES_PER_CALL))
    // It is awaited below.
    reply.catch(() => undefined)
    return reply
  }
  let position = after
  for (let next = read(position); ; ) {
    const reply = await next
    if (reply.status !== 'ok') return { status: reply.status }
    const { entries, more, accessVersion } = reply
    const last = entries.at(-1)
    if (last === undefined) return { status: 'ok', position, accessVersion }
    const reached = positionOf(last, position.lineage)
    if (more) next = read(reached)
    for (const part of partsOf(entries)) {
      const stored = await withPatience(patience, () => to.replay(position, part))
      if (stored.status !== 'ok') return { status: stored.status }
      position = positionOf(part.at(-1) as Entry, position.lineage)
      const { revision } = position
      onProgress?.({ phase, records: 0, revision, headRevision: Math.max(reached.revision, revision) })
    }
    if (!more) return { status: 'ok', position, accessVersion }
  }
}

function positionOf({ revision, digest }: Entry, lineage: string): Position {
  return { lineage, revision, digest }
}

function* partsOf(entries: readonly Entry[]): Generator<readonly Entry[]> {
  let [start, length] = [0, 0]
  for (const [index, entry] of entries.entries()) {
    const added = entrySize(entry)
    if (index > start && length + added > TEXT_PER_CALL) {
      yield entries.slice(start, index)
      ;[start, length] = [index, 0]
    }
    length += added
  }
  yield entries.slice(start)
}
