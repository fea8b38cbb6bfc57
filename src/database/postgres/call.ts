import { CoordinatorError, type ErrorOptions } from '../../errors.ts'
import type { Facts, SqlFunction, SqlFunctions } from '../sql-functions/sql-functions.ts'
import { watchCall } from '../sql-functions/watch-call.ts'
import type { PoolFigures, PoolObserver, Replication } from '../store.ts'
import { Cluster } from './cluster.ts'
import type { Connection, Row } from './connection.ts'
import { ConnectionPool, type Lent } from './connection-pool.ts'
import type { PostgresSettings } from './options.ts'
import { askReplication, findWaiting } from './replication.ts'

/** For the one function that reads, and may write, every record: only a command calls it. */
const MENDING_TIMEOUT_MS = 30 * 60_000

/** Calls the functions over PostgreSQL's own protocol: one statement and one round trip for each call, no transaction held over several. */
export class PostgresCalls implements SqlFunctions {
  readonly #settings: PostgresSettings
  readonly #cluster: Cluster
  readonly #pools: Readonly<Record<keyof PoolFigures, ConnectionPool>>

  constructor(settings: PostgresSettings) {
    this.#settings = settings
    this.#cluster = new Cluster(settings)
    const pool = (role: keyof PoolFigures, max: number) =>
      new ConnectionPool(this.#cluster, settings, { role, max })
    this.#pools = {
      writer: pool('writer', 1),
      follower: pool('follower', 1),
      reader: pool('reader', Math.max(1, settings.poolMax - 2)),
    }
  }

  get figures(): PoolFigures {
    const { writer, follower, reader } = this.#pools
    return { writer: writer.figures, follower: follower.figures, reader: reader.figures }
  }

  observe(observer: PoolObserver): void {
    for (const pool of Object.values(this.#pools)) pool.observe(observer)
  }

  async call(name: SqlFunction, argument: string, role: keyof PoolFigures = 'follower'): Promise<unknown> {
    const writing = role === 'writer'
    if (role === 'follower') this.#cluster.verify()
    const lent = await this.#acquire(role)
    const { connection } = lent
    const watch = connection.facts.pooled ? undefined : this.#watch(connection, role)
    try {
      const [row] = await connection.run({
        text: `select "${this.#settings.schema}"."${name}"($1::jsonb)::text as reply${writing ? withWarnings : ''}`,
        values: [argument],
        doing: `calling ${name}`,
        ...(name === 'mend_head' ? { timeoutMs: MENDING_TIMEOUT_MS } : {}),
        ...(writing ? { unanswered: 'unknown' } : {}),
      })
      return JSON.parse(row?.['reply'] ?? 'null')
    } catch (thrown) {
      if (!writing || !(thrown instanceof CoordinatorError)) throw thrown
      if (thrown.sourceCode === LOCK_NOT_AVAILABLE) throw await this.#lockedError(connection)
      throw thrown.code === 'COORD_STORE_TIMEOUT' && watch?.waitsForStandby() === true
        ? standbyMissing(thrown.detail, { outcome: 'unknown' })
        : thrown
    } finally {
      watch?.end()
      this.#release(role, lent)
    }
  }

  /** Lends a connection to the primary for some work. */
  async use<T>(role: keyof PoolFigures, work: (connection: Connection) => Promise<T>): Promise<T> {
    const lent = await this.#pools[role].acquire()
    try {
      return await work(lent.connection)
    } finally {
      this.#release(role, lent)
    }
  }

  /** Gives a connection back. If it broke during a call, all others are suspect. A look after a silent connection does not count. */
  #release(role: keyof PoolFigures, lent: Lent): void {
    if (lent.connection.broken) this.#cluster.suspect()
    this.#pools[role].release(lent)
  }

  async connectionFacts(): Promise<Facts> {
    const { pooled, waiting } = await this.use('follower', async (connection) => ({
      pooled: connection.facts.pooled,
      waiting: await findWaiting(connection),
    }))
    return {
      host: this.#cluster.primary ?? '',
      schemaName: this.#settings.schema,
      tls: this.#settings.target.tls.mode,
      pooled,
      ...(waiting === '' ? {} : { waitingForStandby: waiting }),
    }
  }

  replication(): Promise<Replication> {
    return this.use('follower', askReplication)
  }

  async close(): Promise<void> {
    await Promise.all([this.#cluster.close(), ...Object.values(this.#pools).map((pool) => pool.close())])
  }

  async #acquire(role: keyof PoolFigures): Promise<Lent> {
    try {
      return await this.#pools[role].acquire()
    } catch (thrown) {
      // Without a connection nothing was sent.
      throw role === 'writer' && thrown instanceof CoordinatorError
        ? thrown.withOutcome('not_written')
        : thrown
    }
  }

  /**
   * Destroys the connection if the server does not work for it. Behind a pooler, the session of the server is not known, and only the
   * deadline helps.
   */
  #watch(connection: Connection, role: keyof PoolFigures): SessionWatch {
    // The connection that follows is seldom busy. Behind questions about the past, nobody would notice a silent connection.
    const others = this.#pools[role === 'follower' ? 'reader' : 'follower']
    let received = connection.bytesReceived
    let waits = false
    const end = watchCall({
      afterMs: this.#settings.watchAfterMs,
      isLost: async () => {
        const session = await sessionOf(connection.facts.pid, others)
        waits = waitsForStandby(session)
        // An answer that is arriving counts as work: the server finishes long before a slow network does.
        const silent = connection.bytesReceived === received
        received = connection.bytesReceived
        if (session === undefined) return undefined
        // A primary that was replaced without noticing makes one commit wait for the standby, and those of others for the lock of that one.
        if ((waits || waitsForLock(session)) && (await this.#cluster.findNewer())) return true
        return silent && (session === 'gone' || session['state'] === 'idle')
      },
      giveUp: () => connection.destroy(),
    })
    return { end, waitsForStandby: () => waits }
  }

  /** Names the transaction that holds the lock: an operator has to end it. */
  async #lockedError({ facts }: Connection): Promise<CoordinatorError> {
    // The session that waited may itself hold the lock on the head until it has rolled back.
    const argument = JSON.stringify({ except: facts.pid })
    const holder = await this.call('inspect', argument).then(holderOf, () => undefined)
    const detail = `Another transaction holds ${holder?.text ?? 'what writing needs'}.`
    const options = { sourceCode: LOCK_NOT_AVAILABLE, outcome: 'not_written' } as const
    const session = holder && (await sessionOf(holder.pid, this.#pools.follower))
    // It must not be ended: everybody would see what it has committed, and a failover would lose it.
    if (waitsForStandby(session)) return standbyMissing(detail, options)
    return new CoordinatorError('COORD_STORE_BUSY', {
      ...options,
      detail,
      hint: 'End that transaction: commit it, roll it back, or `select pg_terminate_backend(PID)`.',
    })
  }
}

interface SessionWatch {
  /** To be called when the call has ended. */
  readonly end: () => void
  /** Whether the session waited for a synchronous standby when it was looked at last. */
  readonly waitsForStandby: () => boolean
}

/** A write that is late because no synchronous standby confirms commits. */
function standbyMissing(
  detail: string,
  options: Pick<ErrorOptions, 'sourceCode' | 'outcome'>,
): CoordinatorError {
  return new CoordinatorError('COORD_STORE_UNREPLICATED', {
    ...options,
    detail: `${detail} The database waits for its synchronous standby.`,
  })
}

/** Source: PostgreSQL documentation, "Wait Events of Type IPC". */
function waitsForStandby(session: Row | 'gone' | undefined): boolean {
  return typeof session === 'object' && session['wait_event'] === 'SyncRep'
}

function waitsForLock(session: Row | 'gone'): boolean {
  return session !== 'gone' && session['wait_event_type'] === 'Lock'
}

const LOCK_NOT_AVAILABLE = '55P03'

/**
 * A role may have a `client_min_messages` that hides warnings. Then a commit whose wait for the standby was cancelled would look like a
 * success. The setting holds until the end of the transaction.
 */
const withWarnings = ` from set_config('client_min_messages', 'warning', true)`

/** A session of the server. `undefined` if the database does not answer: the call then ends at its deadline. */
async function sessionOf(pid: number, others: ConnectionPool): Promise<Row | 'gone' | undefined> {
  try {
    const [session] = await others.use((other) =>
      other.run({
        text: 'select state, wait_event, wait_event_type from pg_stat_activity where pid = $1::integer',
        values: [String(pid)],
        doing: 'looking after a silent connection',
        timeoutMs: 1_000,
      }),
    )
    return session ?? 'gone'
  } catch {
    return undefined
  }
}

function holderOf(reply: unknown): { readonly pid: number; readonly text: string } | undefined {
  const holder = (reply as { headHolder?: unknown }).headHolder
  if (typeof holder !== 'object' || holder === null) return undefined
  const { pid, holds, user, state, sinceMs } = holder as Record<string, unknown>
  const since = typeof sinceMs === 'number' ? ` for ${Math.round(sinceMs / 1_000)} s` : ''
  const text = `${String(holds)}: pid ${String(pid)} of user ${String(user)}${typeof state === 'string' ? `, ${state}` : ''}${since}`
  return { pid: Number(pid), text }
}
