import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeAll, beforeEach } from 'vitest'
import type { PostgresOptions } from '../../src/database/postgres/options.ts'
import { PostgresStore } from '../../src/database/postgres/store.ts'
import type { ReplicaOperation, ReplicaOutcome } from '../../src/database/replicas.ts'
import type { AsOfFilter, Moment, Store } from '../../src/database/store.ts'
import type { StoredRecord } from '../../src/records/record.ts'
import { Caller } from '../conformance/caller.ts'
import { storeOptions, targetOf } from '../support/backends/postgres.ts'
import { PostgresServer } from '../support/postgres.ts'

export interface ReplicaServersOptions {
  /** How long the servers live: tests that promote the standby need their own. @default 'file' */
  readonly of?: 'file' | 'test'
  /** Lines of the `postgresql.conf` of the standby. */
  readonly config?: Readonly<Record<string, string>>
}

/**
 * A primary and a standby of it, with their stores. All tests of a file share them, each with a schema of its own.
 */
export function replicaServers({ of = 'file', config = {} }: ReplicaServersOptions = {}) {
  const found = {} as { primary: PostgresServer; standby: PostgresServer; schema: string }
  const stores: PostgresStore[] = []
  let schemas = 0

  const start = async () => {
    found.primary = await PostgresServer.start()
    found.standby = await found.primary.standby({ hot_standby_feedback: 'on', ...config })
    return async () => {
      await found.primary.dispose()
      await found.standby.dispose()
    }
  }
  if (of === 'file') beforeAll(start)
  else beforeEach(start)
  beforeEach(() => {
    schemas += 1
    found.schema = `case_${schemas}`
  })
  afterEach(async () => {
    await Promise.all(stores.splice(0).map((store) => store.close()))
  })

  const opened = async (options: PostgresOptions): Promise<Replicated> => {
    const store = new PostgresStore(options)
    stores.push(store)
    const { position } = await store.open()
    return { store, caller: new Caller(store, position) }
  }

  /** An open store on the primary, which reads from these replicas. It looks at them once, unless the test asks for more. */
  function open(
    options: Partial<PostgresOptions> = {},
    replicas: readonly (string | PostgresServer)[] = [found.standby],
  ): Promise<Replicated> {
    const targets = replicas.map((replica) => targetOf(typeof replica === 'string' ? replica : replica.url()))
    const { schema } = found
    return opened(
      storeOptions(found.primary, { schema, replicas: targets, replicaCheckMs: 3_600_000, ...options }),
    )
  }

  /** An open store on another server or database, without replicas. */
  function openOn(server: PostgresServer, database = 'postgres'): Promise<Replicated> {
    return opened(storeOptions(server, { schema: found.schema, database }))
  }

  return Object.assign(found, { open, openOn })
}

export interface Replicated {
  readonly store: PostgresStore
  readonly caller: Caller
}

/** The reads of a kind that were counted, without zeros. */
export function readsOf(store: Store, operation: ReplicaOperation): Partial<Record<ReplicaOutcome, number>> {
  const counts = Object.entries(store.replicas?.().reads[operation] ?? {})
  return Object.fromEntries(counts.filter(([, count]) => count > 0))
}

export async function recordsAt(
  store: Store,
  moment: Moment,
  filter?: AsOfFilter,
): Promise<readonly StoredRecord[]> {
  const pages = await Array.fromAsync(store.asOf(moment, filter))
  return pages.flatMap(({ records }) => records)
}

/** Resolves when a standby has replayed everything that the primary has written. */
export async function caughtUp(primary: PostgresServer, standby: PostgresServer): Promise<void> {
  const [written] = await primary.query<{ lsn: string }>('select pg_current_wal_flush_lsn() as lsn')
  await waitFor(async () => {
    const [replayed] = await standby.query<{ done: boolean }>(
      `select pg_last_wal_replay_lsn() >= '${written?.lsn}' as done`,
    )
    return replayed?.done === true
  })
}

/** Stops the replay of a standby. Resolves when it stands still; disposing of the result lets it go on. */
export async function pauseReplay(standby: PostgresServer): Promise<AsyncDisposable> {
  await standby.query('select pg_wal_replay_pause()')
  await waitFor(async () => {
    const [row] = await standby.query<{ state: string }>('select pg_get_wal_replay_pause_state() as state')
    return row?.state === 'paused'
  })
  return { [Symbol.asyncDispose]: () => resumeReplay(standby) }
}

export async function resumeReplay(standby: PostgresServer): Promise<void> {
  await standby.query('select pg_wal_replay_resume()')
}

/** Waits until something is so. */
export async function waitFor(isSo: () => Promise<boolean> | boolean, limitMs = 30_000): Promise<void> {
  for (const end = performance.now() + limitMs; performance.now() < end; await sleep(20)) {
    if (await isSo()) return
  }
  throw new Error(`It was not so within ${limitMs} ms.`)
}
