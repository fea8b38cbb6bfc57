import type { Head, Store } from '../database/store.ts'
import { CoordinatorError } from '../errors.ts'
import type { Revision } from '../records/record.ts'

export interface RetentionOptions {
  /** History younger than this is kept, in hours. `0`: no such rule. */
  readonly keepHours: number
  /** So many of the newest revisions are kept in any case. */
  readonly keepRevisions: number
}

const hourMs = 3_600_000

/**
 * Forgets what neither rule keeps. Every coordinator on a database does this by itself: the floor only rises, so it does
 * not matter who is first.
 *
 * @returns the head afterwards
 */
export async function retain(
  store: Store,
  { keepHours, keepRevisions }: RetentionOptions,
  now = Date.now(),
): Promise<Head> {
  const head = await store.head()
  const byCount = head.position.revision - keepRevisions
  if (byCount <= head.floor) return head
  const byAge = keepHours === 0 ? byCount : await revisionAt(store, now - keepHours * hourMs)
  const floor = Math.min(byCount, byAge ?? head.floor)
  return floor <= head.floor ? head : store.compact(floor)
}

/** The newest revision at or before a time; `undefined` where history that old is gone already. */
async function revisionAt(store: Store, at: number): Promise<Revision | undefined> {
  try {
    // A record that does not exist: only the position of the page is of interest.
    for await (const { position } of store.asOf({ at }, { kind: 'none', id: 'none' }))
      return position.revision
  } catch (thrown) {
    if (!(thrown instanceof CoordinatorError && thrown.code === 'COORD_REVISION_COMPACTED')) throw thrown
  }
  return undefined
}
