import { setImmediate as turn } from 'node:timers/promises'
import type { Store } from '../database/store.ts'
import { CoordinatorError } from '../errors.ts'
import type { Domain } from './projection.ts'
import { View } from './view.ts'

/** How many entries are asked for at once. */
export const CHANGES_LIMIT = 512

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
): Promise<View> {
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
  const after = await store.head()
  while (view.revision < after.position.revision) {
    const reply = await store.changes(view.position, CHANGES_LIMIT)
    if (reply.status !== 'ok' || view.apply(reply.entries).length === 0) throw changedMeanwhile()
    await turn()
  }
  if (
    after.position.lineage !== view.lineage ||
    (after.position.revision === view.revision && after.position.digest !== view.position.digest)
  )
    throw changedMeanwhile()
  view.forgetDeletionsUpTo(after.floor)
  return view
}

function changedMeanwhile(): CoordinatorError {
  return new CoordinatorError('COORD_STORE_BUSY', {
    detail: 'The history changed while it was being loaded.',
  })
}
