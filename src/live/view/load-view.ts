import { setImmediate as turn } from 'node:timers/promises'
import type { Head, Store } from '../../database/store.ts'
import { CoordinatorError } from '../../errors.ts'
import type { Position, Revision } from '../../records/record.ts'
import { keptBytes } from '../memory/kept-bytes.ts'
import type { LoadedPart } from '../memory/memory-faults.ts'
import type { Domain } from './projection.ts'
import { View } from './view.ts'

/** How many entries are asked for at once. */
export const CHANGES_LIMIT = 512

export interface LoadedView {
  readonly view: View
  readonly head: Head
  /** The time at which the question for the head of this view was sent, on the monotonic clock. */
  readonly askedAt: number
}

/** Watches a load. */
export interface LoadWatch {
  /** Reports how many records have arrived. */
  arrived(records: number): void
  /**
   * Called if a record is newer than the head.
   *
   * @returns whether the load before this one found the same. @default true
   */
  foundNewer?(): boolean
  /** @default there is room for everything */
  readonly room?: LoadRoom
}

export interface LoadRoom {
  /** Takes this many more bytes, if there is room for them. */
  take(bytes: number): boolean | Promise<boolean>
  /** Called if the records do not fit. @returns the error to throw */
  tooLarge(part: LoadedPart): CoordinatorError
}

/**
 * Builds a view from the store. The pages of a load may come from different moments; the journal from before the first
 * page to after the last one makes them agree.
 *
 * @throws CoordinatorError; `COORD_STORE_DAMAGED` if a record is newer than the head, again; `COORD_STORE_BUSY` if the history changed meanwhile: build it again; `room.tooLarge`
 */
export async function loadView(
  store: Store,
  domain: Domain,
  { arrived, foundNewer = () => true, room }: LoadWatch,
): Promise<LoadedView> {
  const before = await store.head()
  let view = new View(domain, before.position, before.at)
  let [records, bytes, allRecords, allBytes] = [0, 0, 0, 0]
  let newest: Revision = 0
  let fits = true
  for await (const page of store.load()) {
    if (page.lineage !== before.position.lineage) throw changedMeanwhile()
    for (const { revision } of [...page.records, ...page.tombstones]) newest = Math.max(newest, revision)
    const pageBytes = keptBytes(page.records)
    allRecords += page.records.length
    allBytes += pageBytes
    if (fits && room !== undefined && !(await room.take(pageBytes))) {
      fits = false
      // Only count the rest, so that the error can name the heap that all records need.
      view = new View(domain, before.position, before.at)
    }
    if (fits) {
      view.seed(page)
      records = allRecords
      bytes = allBytes
    }
    arrived(allRecords)
    // A large load must not delay requests, because the old view is still served.
    await turn()
  }
  if (room !== undefined && !fits) throw room.tooLarge({ records, bytes, allRecords, allBytes })
  const askedAt = performance.now()
  const head = await store.head()
  await advanceView(store, view, head.position.revision)
  if (
    head.position.lineage !== view.lineage ||
    (head.position.revision === view.revision && head.position.digest !== view.position.digest)
  )
    throw changedMeanwhile()
  if (newest > head.position.revision) throw headBelow(newest, head.position, foundNewer())
  view.forgetDeletionsUpTo(head.floor)
  return { view, head, askedAt }
}

/** Brings a view that is not served yet up to a revision. */
export async function advanceView(store: Store, view: View, revision: Revision): Promise<void> {
  while (view.revision < revision) {
    const reply = await store.changes(view.position, CHANGES_LIMIT)
    if (reply.status !== 'ok' || view.apply(reply.entries).length === 0) throw changedMeanwhile()
    await turn()
  }
}

/**
 * A failover in the middle of a load looks like this, once. If it stays, the records are those of a backup without its head: commits would
 * get numbers that are in use.
 */
function headBelow(newest: Revision, { revision }: Position, stays: boolean): CoordinatorError {
  return new CoordinatorError(stays ? 'COORD_STORE_DAMAGED' : 'COORD_STORE_BUSY', {
    detail: `The head is at revision ${revision}, and there is a record of revision ${newest}.`,
  })
}

function changedMeanwhile(): CoordinatorError {
  return new CoordinatorError('COORD_STORE_BUSY', {
    detail: 'The history changed while it was being loaded.',
  })
}
