import { CoordinatorError } from '../errors.ts'
import type { Entry, Position } from '../records/record.ts'
import type { Store } from './store.ts'

/**
 * The same store with a check of every part of the journal that it returns: the entries begin after the position that was asked about,
 * and have no gap. A gap is an error. A caller that took the other entries would never notice the missing ones.
 */
export function checkContinuity(store: Store): Store {
  const { migrator, inspector } = store
  const pool = store.pool?.bind(store)
  const observePool = store.observePool?.bind(store)
  return {
    backend: store.backend,
    durable: store.durable,
    open: () => store.open(),
    head: () => store.head(),
    load: () => store.load(),
    async commit(after, batch, call) {
      const reply = await store.commit(after, batch, call)
      const gap = reply.status === 'ok' ? gapIn(after, reply.entries) : undefined
      // The batch may be stored nevertheless. Sent again, its ids get the first results.
      if (gap !== undefined)
        throw new CoordinatorError('COORD_STORE_REPLY', { detail: gap, outcome: 'unknown' })
      return reply
    },
    async changes(after, limit, reader) {
      const reply = await store.changes(after, limit, reader)
      const gap = reply.status === 'ok' ? gapIn(after, reply.entries) : undefined
      if (gap !== undefined) throw new CoordinatorError('COORD_STORE_DAMAGED', { detail: gap })
      return reply
    },
    history: (kind, id, options) => store.history(kind, id, options),
    asOf: (moment, filter) => store.asOf(moment, filter),
    compact: (floor) => store.compact(floor),
    fork: (from) => store.fork(from),
    close: () => store.close(),
    ...(migrator === undefined ? {} : { migrator }),
    ...(inspector === undefined ? {} : { inspector }),
    ...(store.historyInMemory === undefined ? {} : { historyInMemory: store.historyInMemory }),
    ...(pool === undefined ? {} : { pool }),
    ...(observePool === undefined ? {} : { observePool }),
  }
}

function gapIn({ revision: after }: Position, entries: readonly Entry[]): string | undefined {
  let last = after
  for (const { revision } of entries) {
    if (revision !== last + 1) return `The database gave revision ${revision} after ${last}.`
    last = revision
  }
  return undefined
}
