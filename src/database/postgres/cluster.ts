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
  #verifiedAt = performance.now()
  #looking: Promise<boolean> | undefined
  /** The highest timeline that a primary was seen with; 0 before. */
  #timeline = 0
  /** Hosts that took writes beside a primary with a higher timeline. They count again as soon as they have its timeline. */
  readonly #replaced = new Set<PostgresHost>()

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
   * Asks every host who the primary is now, because the one that is used may have been replaced without noticing: if whoever manages the
   * servers has died beside it, it still takes writes, and each of them waits for ever for a standby that has left. The new primary is the one
   * with the higher timeline.
   *
   * @returns whether another host is the primary now; connections then go there. Never throws.
   */
  findNewer(): Promise<boolean> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  async #look(): Promise<boolean> {
    const { hosts } = this.#settings.target
    const known = this.#primary
    if (known === undefined || hosts.length === 1) return false
    const timelines = await Promise.all(hosts.map((host) => this.#timelineOf(host)))
    const highest = Math.max(...timelines)
    const newer = hosts[timelines.indexOf(highest)] as PostgresHost
    for (const [index, timeline] of timelines.entries())
      if (timeline > 0 && timeline < highest) this.#replaced.add(hosts[index] as PostgresHost)
    // If the primary is too busy to answer, a server that was replaced before must not take its place.
    const isOld = highest < this.#timeline
    this.#timeline = Math.max(this.#timeline, highest)
    // Meanwhile somebody else may have found it.
    if (this.#primary !== known) return true
    if (isOld || highest <= (timelines[hosts.indexOf(known)] ?? 0)) return false
    this.#primary = newer
    this.suspect()
    return true
  }

  /**
   * Does `findNewer` now and then, for a coordinator that writes nothing: no commit of it would wait, and it would follow the old primary for
   * ever. Does not wait for the answer.
   */
  verify(): void {
    const now = performance.now()
    if (this.#settings.target.hosts.length === 1 || now - this.#verifiedAt < VERIFY_MS) return
    this.#verifiedAt = now
    void this.findNewer()
  }

  /** Resolves when nothing is being asked. */
  async close(): Promise<void> {
    await this.#looking
  }

  /** How often the history of a server has branched off, which every promotion does. 0 if it takes no writes, or does not answer. */
  async #timelineOf(host: PostgresHost): Promise<number> {
    const settings = { ...this.#settings, connectTimeoutMs: LOOK_MS }
    try {
      const connection = await this.#connectTo(host, settings)
      try {
        return await readTimeline(connection)
      } finally {
        void connection.close()
      }
    } catch {
      return 0
    }
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

  async #connectTo(host: PostgresHost, settings = this.#settings): Promise<Connection> {
    const connection = await Connection.open(host, settings)
    const refusal =
      this.#refusalOf(connection) ??
      refusalOfEncoding(connection) ??
      (await this.#refusalOfReplaced(connection))
    if (refusal === undefined) return connection
    void connection.close()
    throw refusal
  }

  /** Such a host may be nearer than the primary, and would be connected first again and again. */
  async #refusalOfReplaced(connection: Connection): Promise<CoordinatorError | undefined> {
    const { host } = connection
    if (!this.#replaced.has(host)) return undefined
    const timeline = await readTimeline(connection)
    if (timeline < this.#timeline)
      return new CoordinatorError('COORD_STORE_STANDBY', {
        detail: `The server ${nameOf(host)} takes writes, but was replaced: its timeline is ${timeline}, and that of the newest primary is ${this.#timeline}.`,
        hint: 'Stop that server, or make it a standby of the newest primary. If it is to be the primary again, restart the coordinator.',
      })
    this.#replaced.delete(host)
    return undefined
  }
}

/** The timeline that a server writes. */
async function readTimeline(connection: Connection): Promise<number> {
  const [row] = await connection.run({
    text: `select ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::integer::text as timeline`,
    doing: 'comparing primaries',
    timeoutMs: LOOK_MS,
  })
  return Number(row?.['timeline'])
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
