import { CoordinatorError, toCoordinatorError } from '../errors.ts'
import type { Entry, Position } from '../records/record.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { AccessStore, Head, Inspector, Migrator, OffTrack, PoolObserver, Store } from './store.ts'

/** Counts and times the calls of a store. */
export type StoreMeter = Pick<Metrics['database'], 'measure' | 'measurePages'> & Partial<PoolObserver>

/** Every member of an interface. If the interface gets a new member, this file does not compile until it passes the member on. */
type AllMembers<Port> = { readonly [Member in keyof Required<Port>]: Port[Member] }

/** Decides whether the history in an answer may take the place of the one that is served. */
export interface HistoryGuard {
  /** Whether a history is served. Until then, every other one is admitted. */
  readonly isServed: boolean
  /** Why the newest answer was not admitted; `undefined` if it was. */
  readonly refusal: CoordinatorError | undefined
  /** @throws COORD_STORE_REPLACED */
  admit(head: Head): Head
  /** The store knows the position in a question: its history is the one that is served. */
  confirm(): void
}

const anyHistory: HistoryGuard = {
  isServed: false,
  refusal: undefined,
  admit: (head) => head,
  confirm: () => undefined,
}

const unmeasured: StoreMeter = { measure: (_, run) => run(), measurePages: (_, pages) => pages }

/**
 * Adds three things to a store. Every call is counted and timed. Every part of the journal that it returns is checked: it must
 * begin after the position in the question, and have no gap. Otherwise a caller would take the other entries and never notice the
 * missing ones. The caller also gets nothing from a history that is not admitted, and writes nothing to it.
 *
 * @param meter @default calls are not counted
 * @param history @default every history is admitted
 */
export function guardStore(
  store: Store,
  meter: StoreMeter = unmeasured,
  history: HistoryGuard = anyHistory,
): Store {
  const { measure, measurePages } = meter
  const head = async () => history.admit(await measure('head', () => store.head()))
  /** An answer that has a head says that the store does not know the position in the question. */
  const admitted = <Reply extends { readonly status: string }>(reply: Reply | OffTrack): Reply | OffTrack => {
    if ('head' in reply) history.admit(reply.head)
    else if (reply.status === 'ok') history.confirm()
    return reply
  }
  if (isObserver(meter)) store.observePool?.(meter)
  return withoutAbsent<Store>({
    backend: store.backend,
    durable: store.durable,
    access: guardedAccess(store.access, measure, async () => void (history.isServed && (await head()))),
    open: () => measure('open', () => store.open()),
    head,
    load: () => measurePages('load', store.load()),
    async commit(after, batch, call) {
      // A database that was replaced must not get even the number of this call.
      if (history.refusal !== undefined) await head().catch(asNotWritten)
      const reply = admitted(await measure('commit', () => store.commit(after, batch, call)))
      const gap = reply.status === 'ok' ? gapIn(after, reply.entries) : undefined
      // The batch may be stored anyway. When it is sent again, its ids get the first results.
      if (gap !== undefined)
        throw new CoordinatorError('COORD_STORE_REPLY', { detail: gap, outcome: 'unknown' })
      return reply
    },
    async changes(after, limit, reader) {
      const reply = admitted(await measure('changes', () => store.changes(after, limit, reader)))
      const gap = reply.status === 'ok' ? gapIn(after, reply.entries) : undefined
      if (gap !== undefined) throw new CoordinatorError('COORD_STORE_DAMAGED', { detail: gap })
      return reply
    },
    history: (kind, id, options) => measure('history', () => store.history(kind, id, options)),
    asOf: (moment, filter) => measurePages('as_of', store.asOf(moment, filter)),
    compact: (floor) => measure('compact', () => store.compact(floor)),
    fork: (from) => measure('fork', () => store.fork(from)),
    adopt: (lineage) => measure('adopt', () => store.adopt(lineage)),
    setMode: (from, to) => measure('set_mode', () => store.setMode(from, to)),
    seed: (point, records) => measure('seed', () => store.seed(point, records)),
    replay: (after, entries) => measure('replay', () => store.replay(after, entries)),
    mendHead: store.mendHead?.bind(store),
    close: () => store.close(),
    migrator: store.migrator && measuredMigrator(store.migrator, measure),
    inspector: store.inspector && measuredInspector(store.inspector, measure),
    pool: store.pool?.bind(store),
    replicas: store.replicas?.bind(store),
    observePool: store.observePool?.bind(store),
    historyInMemory: store.historyInMemory,
  })
}

/** @param requireHistory throws if the tokens would be those of another history */
function guardedAccess(
  access: AccessStore,
  measure: StoreMeter['measure'],
  requireHistory: () => Promise<void>,
): AccessStore {
  const guarded = async <T>(call: () => Promise<T>) => {
    await requireHistory()
    return measure('access', call)
  }
  return {
    load: () => guarded(() => access.load()),
    put: (token) => guarded(() => access.put(token)),
    revoke: (id, by) => guarded(() => access.revoke(id, by)),
    require: () => guarded(() => access.require()),
    seed: (state) => guarded(() => access.seed(state)),
  }
}

function asNotWritten(thrown: unknown): never {
  throw toCoordinatorError(thrown, 'COORD_STORE_FAULT').withOutcome('not_written')
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
  const inspectReplication = inspector.inspectReplication?.bind(inspector)
  const inspectReplicas = inspector.inspectReplicas?.bind(inspector)
  return withoutAbsent<Inspector>({
    inspect: () => measure('inspect', () => inspector.inspect()),
    examine: examine && ((from) => measure('examine', () => examine(from))),
    inspectReplication: inspectReplication && (() => measure('inspect', inspectReplication)),
    inspectReplicas: inspectReplicas && (() => measure('inspect', inspectReplicas)),
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
