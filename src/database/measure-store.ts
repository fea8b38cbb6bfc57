import type { Metrics } from '../telemetry/metrics.ts'
import type { Store } from './store.ts'

/** The same store, with every call to it counted and timed. What a backend does not have stays absent. */
export function measureStore(store: Store, metrics: Metrics['database']): Store {
  const { measure, measurePages } = metrics
  const { migrator, inspector } = store
  const examine = inspector?.examine?.bind(inspector)
  store.observePool?.(metrics)
  return {
    backend: store.backend,
    durable: store.durable,
    open: () => measure('open', () => store.open()),
    head: () => measure('head', () => store.head()),
    load: () => measurePages('load', store.load()),
    commit: (after, batch, call) => measure('commit', () => store.commit(after, batch, call)),
    changes: (after, limit, reader) => measure('changes', () => store.changes(after, limit, reader)),
    history: (kind, id, options) => measure('history', () => store.history(kind, id, options)),
    asOf: (moment, filter) => measurePages('as_of', store.asOf(moment, filter)),
    compact: (floor) => measure('compact', () => store.compact(floor)),
    fork: (from) => measure('fork', () => store.fork(from)),
    close: () => store.close(),
    ...(migrator === undefined
      ? {}
      : {
          migrator: {
            status: () => measure('migrate', () => migrator.status()),
            migrate: (options) => measure('migrate', () => migrator.migrate(options)),
            verify: () => measure('migrate', () => migrator.verify()),
          },
        }),
    ...(inspector === undefined
      ? {}
      : {
          inspector: {
            inspect: () => measure('inspect', () => inspector.inspect()),
            ...(examine === undefined ? {} : { examine: (from) => measure('examine', () => examine(from)) }),
          },
        }),
    ...(store.historyInMemory === undefined ? {} : { historyInMemory: store.historyInMemory }),
    ...(store.pool === undefined ? {} : { pool: () => (store.pool as NonNullable<Store['pool']>)() }),
  }
}
