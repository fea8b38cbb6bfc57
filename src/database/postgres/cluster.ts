import type { PostgresHost } from '../../config/postgres/postgres-url.ts'
import { CoordinatorError } from '../../errors.ts'
import { Connection, nameOf } from './connection.ts'
import type { PostgresSettings } from './options.ts'

/** How long only the last primary is asked. If it hangs, the other hosts are asked, too. */
const HEAD_START_MS = 250

/** How long a host may take to say whether it is the primary, while the one that is used does not answer. */
const LOOK_MS = 1_000

/** How often several hosts are asked whether the primary was replaced. */
const VERIFY_MS = 5_000

/** For how long the timeline of a primary counts after it was seen last. */
const TIMELINE_MS = 60_000

/** Opens connections for a pool. */
export interface ConnectionSource {
  /** Increases when a session ends. A connection of an earlier epoch may lead to a server that is no longer the right one. */
  readonly epoch: number
  suspect(): void
  connect(): Promise<Connection>
}

/**
 * The hosts that may have the database. The coordinator asks them which one takes writes, again after each lost session: after a failover
 * it is another host, and the old one may still answer.
 */
export class Cluster implements ConnectionSource {
  readonly #settings: PostgresSettings
  readonly #refusalOf: (connection: Connection) => CoordinatorError | undefined
  #primary: PostgresHost | undefined
  #epoch = 0
  #timeline = 0
  #timelineSeenAt = 0
  #verifiedAt = performance.now()
  #verifying: Promise<boolean> | undefined

  /** @param refusalOf why a server is not the right one. @default it takes no writes */
  constructor(settings: PostgresSettings, refusalOf = refusalOfPrimary) {
    this.#settings = settings
    this.#refusalOf = refusalOf
  }

  /** Increases when a session ends. A connection of an earlier epoch may lead to a server that is no longer the primary. */
  get epoch(): number {
    return this.#epoch
  }

  /** The host that took writes last, for people. */
  get primary(): string | undefined {
    return this.#primary === undefined ? undefined : nameOf(this.#primary)
  }

  /** Makes every connection look for the primary again: a session ended, or the server takes no writes. */
  suspect(): void {
    this.#epoch += 1
  }

  /**
   * Asks every host who the primary is now. The one that is used may have been replaced without noticing: if the program that manages it
   * (Patroni) has died, it still takes writes, and each of them waits for ever for a standby that has left. The new primary has the higher
   * timeline.
   *
   * @returns whether another host is the primary now; connections then go there. Never throws.
   */
  async findNewer(): Promise<boolean> {
    const { hosts } = this.#settings.target
    const known = this.#primary
    if (known === undefined || hosts.length === 1) return false
    const timelines = await Promise.all(hosts.map((host) => this.#timelineAt(host)))
    // Meanwhile somebody else may have found it.
    if (this.#primary !== known) return true
    const highest = Math.max(...timelines)
    const ofKnown = timelines[hosts.indexOf(known)] || this.#newestTimeline
    this.#saw(highest)
    // If the primary is silent now, and its timeline was never seen, another server that takes writes may be the older one.
    if (ofKnown === 0 || highest <= ofKnown) return false
    this.#primary = hosts[timelines.indexOf(highest)] as PostgresHost
    this.suspect()
    return true
  }

  /**
   * Runs `findNewer` at most once in `VERIFY_MS`, for a coordinator that writes nothing: it has no commit that waits, and would follow the old
   * primary for ever. Does not wait for the answer.
   */
  verify(): void {
    const now = performance.now()
    if (this.#settings.target.hosts.length === 1 || now - this.#verifiedAt < VERIFY_MS) return
    this.#verifiedAt = now
    this.#verifying = this.findNewer()
  }

  /** Resolves when nothing is being asked. */
  async close(): Promise<void> {
    await this.#verifying
  }

  /** Resolves to 0 if the host takes no writes, or does not answer. */
  async #timelineAt(host: PostgresHost): Promise<number> {
    try {
      const connection = await this.#open(host, { ...this.#settings, connectTimeoutMs: LOOK_MS })
      try {
        return await timelineOf(connection)
      } finally {
        void connection.close()
      }
    } catch {
      return 0
    }
  }

  /** The highest timeline of a primary that was seen lately. A cluster that was restored may begin anew with a lower one. */
  get #newestTimeline(): number {
    return performance.now() - this.#timelineSeenAt < TIMELINE_MS ? this.#timeline : 0
  }

  #saw(timeline: number): void {
    if (timeline === 0 || timeline < this.#newestTimeline) return
    this.#timeline = timeline
    this.#timelineSeenAt = performance.now()
  }

  /**
   * Connects to the primary. It tries the last primary first. If that does not answer at once, it asks all hosts.
   *
   * @throws the most informative COORD_STORE_* error of the hosts
   */
  async connect(): Promise<Connection> {
    const { hosts } = this.#settings.target
    const last = this.#primary ?? (hosts.length === 1 ? hosts[0] : undefined)
    const attempts = last === undefined ? [] : [this.#connectTo(last)]
    const others = hosts.filter((host) => host !== last)
    if (others.length > 0 && !(await succeedsWithin(HEAD_START_MS, attempts)))
      attempts.push(...others.map((host) => this.#connectTo(host)))
    const connection = await firstOf(attempts)
    this.#primary = connection.host
    return connection
  }

  /**
   * Connects to a host for use.
   *
   * @throws COORD_STORE_STANDBY if the host takes no writes, or was replaced by another primary and does not know it
   */
  async #connectTo(host: PostgresHost): Promise<Connection> {
    const connection = await this.#open(host, this.#settings)
    const newest = this.#newestTimeline
    if (newest === 0 || this.#settings.target.hosts.length === 1) return connection
    const timeline = await timelineOf(connection)
    this.#saw(timeline)
    if (timeline === 0 || timeline >= newest) return connection
    void connection.close()
    throw new CoordinatorError('COORD_STORE_STANDBY', {
      detail: `The server ${nameOf(host)} was replaced by another primary, and does not know it.`,
    })
  }

  async #open(host: PostgresHost, settings: PostgresSettings): Promise<Connection> {
    const connection = await Connection.open(host, settings)
    const refusal = this.#refusalOf(connection) ?? refusalOfEncoding(connection)
    if (refusal === undefined) return connection
    void connection.close()
    throw refusal
  }
}

function refusalOfPrimary({ facts, host }: Connection): CoordinatorError | undefined {
  if (facts.writable) return undefined
  return new CoordinatorError('COORD_STORE_STANDBY', {
    detail: `The server ${nameOf(host)} takes no writes: it is a standby, or the role or database is read-only.`,
  })
}

function refusalOfEncoding({ facts }: Connection): CoordinatorError | undefined {
  if (facts.utf8) return undefined
  return new CoordinatorError('COORD_STORE_ENCODING', {
    detail: 'The encoding of the database is not UTF8.',
  })
}

/**
 * The timeline of a primary. PostgreSQL begins a new one, with a higher number, at each promotion. 0 if the server does not say.
 *
 * @throws COORD_STORE_* if the connection breaks
 */
async function timelineOf(connection: Connection): Promise<number> {
  try {
    const [row] = await connection.run({
      text: `select ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::integer::text as timeline`,
      doing: 'comparing primaries',
      timeoutMs: LOOK_MS,
    })
    return Number(row?.['timeline'])
  } catch (thrown) {
    if (connection.broken) throw thrown
    // Not every service that speaks the protocol of PostgreSQL has these functions.
    return 0
  }
}

/** The first connection that succeeds. The others are closed as soon as they are made. */
async function firstOf(attempts: readonly Promise<Connection>[]): Promise<Connection> {
  let found: Connection | undefined
  const keepOne = (connection: Connection) => {
    found ??= connection
    if (found !== connection) void connection.close()
    return connection
  }
  try {
    await Promise.any(attempts.map((attempt) => attempt.then(keepOne)))
    return found as unknown as Connection
  } catch (thrown) {
    throw mostTelling((thrown as AggregateError).errors as readonly unknown[])
  }
}

/**
 * The definite answer of one server is more informative than the silence of another. A standby is more informative than no server at all.
 */
function mostTelling(errors: readonly unknown[]): unknown {
  const ours = errors.filter((error) => error instanceof CoordinatorError)
  return (
    ours.find((error) => !error.retryable) ??
    ours.find((error) => error.code === 'COORD_STORE_STANDBY') ??
    errors[0]
  )
}

async function succeedsWithin(ms: number, attempts: readonly Promise<unknown>[]): Promise<boolean> {
  if (attempts.length === 0) return false
  const late = new Promise<boolean>((resolve) => setTimeout(() => resolve(false), ms))
  return Promise.race([
    late,
    ...attempts.map((attempt) =>
      attempt.then(
        () => true,
        () => false,
      ),
    ),
  ])
}
