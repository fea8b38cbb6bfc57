import { setImmediate as turn } from 'node:timers/promises'
import type { Head, Store } from '../database/store.ts'
import { CoordinatorError } from '../errors.ts'
import type { Revision } from '../records/record.ts'
import type { Domain } from './projection.ts'
import { View } from './view.ts'

/** How many entries are asked for at once. */
export const CHANGES_LIMIT = 512

export interface LoadedView {
  readonly view: View
  readonly head: Head
  /** When the head that the view has reached was asked for, on the monotonic clock. */
  readonly askedAt: number
}

/**
 * Builds a view from the store. The pages of a load may come from different moments; the journal from before the first
 * page to after the last one makes them agree.
 *
 * @param progress is told how many records have arrived
 * @throws CoordinatorError; `COORD_STORE_BUSY` where the history changed meanwhile: build it again
 */
export async function loadView(
  store: Store,
  domain: Domain,
  progress: (records: number) => void,
): Promise<LoadedView> {
  const before = await store.head()
  const view = new View(domain, before.position, before.at)
  let count = 0
  for await (const page of store.load()) {
    if (page.lineage !== view.lineage) throw changedMeanwhile()
    view.seed(page)
    count += page.records.length
    progress(count)
    // A large load must not keep requests waiting: the old view is still served.
    await turn()
  }
  const askedAt = performance.now()
  const head = await store.head()
  await advanceView(store, view, head.position.revision)
  if (
    head.position.lineage !== view.lineage ||
    (head.position.revision === view.revision && head.position.digest !== view.position.digest)
  )
    throw changedMeanwhile()
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

function changedMeanwhile(): CoordinatorError {
  return new CoordinatorError('COORD_STORE_BUSY', {
    detail: 'The history changed while it was being loaded.',
  })
}
