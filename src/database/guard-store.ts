import { CoordinatorError } from '../errors.ts'
import type { Entry, Position } from '../records/record.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { AccessStore, Inspector, Migrator, PoolObserver, Store } from './store.ts'

/** Counts and times the calls of a store. */
export type StoreMeter = Pick<Metrics['database'], 'measure' | 'measurePages'> & Partial<PoolObserver>

/** Every member of an interface. If the interface gets a new member, this file does not compile until it passes the member on. */
type AllMembers<Port> = { readonly [Member in keyof Required<Port>]: Port[Member] }

const unmeasured: StoreMeter = { measure: (_, run) => run(), measurePages: (_, pages) => pages }

/**
 * Adds two things to a store. Every call is counted and timed. Every part of the journal that it returns is checked: it must
 * begin after the position in the question, and have no gap. Otherwise a caller would take the other entries and never notice the
 * missing ones.
 *
 * @param meter @default calls are not counted
 */
export function guardStore(store: Store, meter: StoreMeter = unmeasured): Store {
  const { measure, measurePages } = meter
  if (isObserver(meter)) store.observePool?.(meter)
  return withoutAbsent<Store>({
    backend: store.backend,
    durable: store.durable,
    access: measuredAccess(store.access, measure),
    open: () => measure('open', () => store.open()),
    head: () => measure('head', () => store.head()),
    load: () => measurePages('load', store.load()),
    async commit(after, batch, call) {
      const reply = await measure('commit', () => store.commit(after, batch, call))
      const gap = reply.status === 'ok' ? gapIn(after, reply.entries) : undefined
      // The batch may be stored anyway. When it is sent again, its ids get the first results.
      if (gap !== undefined)
        throw new CoordinatorError('COORD_STORE_REPLY', { detail: gap, outcome: 'unknown' })
      return reply
    },
    async changes(after, limit, reader) {
      const reply = await measure('changes', () => store.changes(after, limit, reader))
      const gap = reply.status === 'ok' ? gapIn(after, reply.entries) : undefined
      if (gap !== undefined) throw new CoordinatorError('COORD_STORE_DAMAGED', { detail: gap })
      return reply
    },
    history: (kind, id, options) => measure('history', () => store.history(kind, id, options)),
    asOf: (moment, filter) => measurePages('as_of', store.asOf(moment, filter)),
    compact: (floor) => measure('compact', () => store.compact(floor)),
    fork: (from) => measure('fork', () => store.fork(from)),
    close: () => store.close(),
    migrator: store.migrator && measuredMigrator(store.migrator, measure),
    inspector: store.inspector && measuredInspector(store.inspector, measure),
    pool: store.pool?.bind(store),
    observePool: store.observePool?.bind(store),
    historyInMemory: store.historyInMemory,
  })
}

function measuredAccess(access: AccessStore, measure: StoreMeter['measure']): AccessStore {
  return {
    load: () => measure('access', () => access.load()),
    put: (token) => measure('access', () => access.put(token)),
    revoke: (id, by) => measure('access', () => access.revoke(id, by)),
    require: () => measure('access', () => access.require()),
  }
}

function measuredMigrator(migrator: Migrator, measure: StoreMeter['measure']): Migrator {
  return withoutAbsent<Migrator>({
    howToMigrate: migrator.howToMigrate,
    status: () => measure('migrate', () => migrator.status()),
    migrate: (options) => measure('migrate', () => migrator.migrate(options)),
    verify: () => measure('migrate', () => migrator.verify()),
    allowAnon: migrator.allowAnon?.bind(migrator),
    forbidAnon: migrator.forbidAnon?.bind(migrator),
  })
}

function measuredInspector(inspector: Inspector, measure: StoreMeter['measure']): Inspector {
  const examine = inspector.examine?.bind(inspector)
  return withoutAbsent<Inspector>({
    inspect: () => measure('inspect', () => inspector.inspect()),
    examine: examine && ((from) => measure('examine', () => examine(from))),
  })
}

/** Members that the backend does not have remain absent. */
function withoutAbsent<Port extends object>(members: AllMembers<Port>): Port {
  return Object.fromEntries(Object.entries(members).filter(([, member]) => member !== undefined)) as Port
}

function isObserver(meter: Partial<PoolObserver>): meter is PoolObserver {
  return meter.acquired !== undefined && meter.acquireTimedOut !== undefined
}

function gapIn({ revision: after }: Position, entries: readonly Entry[]): string | undefined {
  let last = after
  for (const { revision } of entries) {
    if (revision !== last + 1) return `The database gave revision ${revision} after ${last}.`
    last = revision
  }
  return undefined
}
