import type { PostgresTarget } from '../../config/postgres/postgres-url.ts'
import { CoordinatorError } from '../../errors.ts'
import type { Position } from '../../records/record.ts'
import { REPLICA_PATIENCE_MS, type ReplicaFigures, type ReplicaOutcome } from '../replicas.ts'
import { headOf, readReply } from '../sql-functions/read-reply.ts'
import type { Head } from '../store.ts'
import type { Connection, Row } from './connection.ts'
import { nameOf } from './connection.ts'
import { ConnectionPool } from './connection-pool.ts'
import type { KnownEnd } from './known-positions.ts'
import type { PostgresSettings } from './options.ts'
import { ReplicaHosts } from './replica-hosts.ts'

/** How long a connection to a replica may take, and how long a question may wait for one. In milliseconds. */
const CONNECT_MAX_MS = 1_000
/** The part of the time of a call that one replica may use: the next replica and the primary need the rest. */
const PART_OF_CALL = 1 / 4
/** How long nobody waits for a replica that did not catch up, in milliseconds. */
const IMPATIENT_MS = 1_000

/** How long `close` waits for the answers to questions, in milliseconds. */
const CLOSE_MS = 1_000

/** Errors that say nothing about the replica: the replay needed the rows of this question, or the question itself is wrong. */
const ofTheQuestion: ReadonlySet<string> = new Set([
  'COORD_STORE_BUSY',
  'COORD_STORE_FROZEN',
  'COORD_COMMIT_REFUSED',
])

/** What a replica says about itself. */
export interface ReplicaState {
  readonly standby: boolean
  readonly head: Head
  /** `hot_standby_feedback` */
  readonly keepsOldVersions: boolean
  /** `max_standby_streaming_delay`. -1: replay waits for reads without end. */
  readonly longestReadMs: number
}

/** One replica: its connections, and what is known about it. */
export class Replica {
  readonly #settings: PostgresSettings
  readonly #restMs: number
  readonly #hosts: ReplicaHosts
  /** Answer questions. */
  readonly #readers: ConnectionPool
  /** Asks the replica about itself, whatever the readers do. */
  readonly #watcher: ConnectionPool
  /** The connections that are used now. */
  readonly #lent = new Set<Connection>()
  #restsUntil = 0
  #impatientUntil = 0
  #figures: ReplicaFigures

  /** @param settings those of the store */
  constructor(settings: PostgresSettings, target: PostgresTarget) {
    const { connectTimeoutMs, acquireTimeoutMs, callTimeoutMs, poolMax, replicaRestMs } = settings
    this.#settings = {
      ...settings,
      target,
      connectTimeoutMs: Math.min(target.connectTimeoutMs ?? connectTimeoutMs, CONNECT_MAX_MS),
      acquireTimeoutMs: Math.min(acquireTimeoutMs, CONNECT_MAX_MS),
      callTimeoutMs: Math.ceil(callTimeoutMs * PART_OF_CALL),
    }
    this.#restMs = replicaRestMs
    this.#hosts = new ReplicaHosts(this.#settings)
    const pool = (max: number) => new ConnectionPool(this.#hosts, this.#settings, { role: 'reader', max })
    this.#readers = pool(Math.max(1, poolMax - 2))
    this.#watcher = pool(1)
    const [first] = target.hosts
    this.#figures = {
      host: first === undefined ? '' : nameOf(first),
      role: 'unknown',
      state: 'unknown',
      revision: undefined,
      lagRevisions: 0,
      answeredAt: 0,
    }
  }

  get figures(): ReplicaFigures {
    const [readers, watcher] = [this.#readers.figures, this.#watcher.figures]
    return {
      ...this.#figures,
      connections: {
        idle: readers.idle + watcher.idle,
        used: readers.used + watcher.used,
        waiting: readers.waiting + watcher.waiting,
        max: readers.max + watcher.max,
      },
    }
  }

  get rests(): boolean {
    return performance.now() < this.#restsUntil
  }

  /** Until when a question may wait for this replica, on the monotonic clock. */
  get patience(): number {
    const now = performance.now()
    return now < this.#impatientUntil ? now : now + REPLICA_PATIENCE_MS
  }

  /** A question waited for it in vain. */
  waitedInVain(): void {
    this.#impatientUntil = performance.now() + IMPATIENT_MS
  }

  /** Asks nothing of the replica for some time. */
  rest(): void {
    this.#restsUntil = performance.now() + this.#restMs
  }

  /** Lends a connection for some work. */
  read<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    return this.#use(this.#readers, work)
  }

  /** Calls a function of the schema. */
  async call(connection: Connection, name: string, argument: string): Promise<unknown> {
    const [row] = await connection.run({
      text: `select ${this.#schema}."${name}"($1::jsonb)::text as reply`,
      values: [argument],
      doing: `calling ${name} of a replica`,
    })
    return JSON.parse(row?.['reply'] ?? 'null')
  }

  async head(connection: Connection): Promise<Head> {
    return readReply(await this.call(connection, 'head', '{}'), headOf)
  }

  /** Whether the replica has a position of the primary in its history. */
  async knows({ lineage, revision, digest }: Position): Promise<boolean> {
    const argument = JSON.stringify({ after: { lineage, revision, digest }, limit: 0 })
    const reply = await this.#use(this.#watcher, (connection) => this.call(connection, 'changes', argument))
    return readReply(reply, (answer) => answer['status'] === 'ok')
  }

  /**
   * Asks the replica about itself. In one statement, so that a pooler cannot send its parts to several servers.
   *
   * @param timeoutMs @default that of a question
   */
  async ask(timeoutMs = this.#settings.callTimeoutMs): Promise<ReplicaState> {
    const [row] = await this.#use(this.#watcher, (connection) =>
      connection.run({
        text: `select ${this.#schema}.head('{}')::text as head, pg_is_in_recovery()::text as standby,
          current_setting('hot_standby_feedback') as feedback,
          (select s.setting from pg_settings s where s.name = 'max_standby_streaming_delay') as delay`,
        doing: 'asking a replica about itself',
        timeoutMs,
      }),
    )
    return stateOf(row)
  }

  /**
   * Notes that the replica answered.
   *
   * @param head `undefined` if the answer did not have it
   * @param end the end of the primary's history, as far as it is known
   */
  answered<Outcome extends Exclude<ReplicaOutcome, 'primary'>>(
    head: Head | undefined,
    outcome: Outcome,
    end: KnownEnd | undefined,
  ): Outcome {
    const { failure: _, ...figures } = this.#figures
    const { revision, lineage } = head?.position ?? {}
    const newest = end?.position.lineage === lineage ? end?.position.revision : undefined
    this.#figures = {
      ...figures,
      state: outcome,
      revision,
      lagRevisions: Math.max(0, (newest ?? 0) - (revision ?? 0)),
      answeredAt: Date.now(),
    }
    return outcome
  }

  /**
   * Notes what role the server has.
   *
   * @returns whether it was promoted since it was asked last
   */
  noteRole(standby: boolean): boolean {
    const wasStandby = this.#figures.role === 'standby'
    this.#figures = { ...this.#figures, role: standby ? 'standby' : 'primary' }
    return wasStandby && !standby
  }

  /** Looks for a standby among the hosts of the URL again. */
  chooseAgain(): void {
    if (this.#settings.target.hosts.length > 1) this.#hosts.suspect()
  }

  /** Notes that the replica did not answer. Unless the question itself was the cause, the replica rests. */
  failed(thrown: unknown): void {
    const failure = asFailure(thrown)
    this.#figures = { ...this.#figures, state: 'failed', failure }
    if (!ofTheQuestion.has(failure.code)) this.rest()
  }

  /** Waits for the answers to questions for a second only: a replica may not answer at all. */
  async close(): Promise<void> {
    const timer = setTimeout(() => {
      for (const connection of this.#lent) connection.destroy()
    }, CLOSE_MS)
    await Promise.all([this.#readers.close(), this.#watcher.close()])
    clearTimeout(timer)
  }

  get #schema(): string {
    return `"${this.#settings.schema}"`
  }

  async #use<T>(pool: ConnectionPool, work: (connection: Connection) => Promise<T>): Promise<T> {
    const lent = await pool.acquire()
    this.#lent.add(lent.connection)
    try {
      this.#figures = { ...this.#figures, host: nameOf(lent.connection.host) }
      return await work(lent.connection)
    } finally {
      this.#lent.delete(lent.connection)
      if (lent.connection.broken) this.#hosts.suspect()
      pool.release(lent)
    }
  }
}

function stateOf(row: Row | undefined): ReplicaState {
  const head = readReply(JSON.parse(row?.['head'] ?? 'null'), headOf)
  return {
    head,
    standby: row?.['standby'] === 'true',
    keepsOldVersions: row?.['feedback'] === 'on',
    longestReadMs: Number(row?.['delay'] ?? -1),
  }
}

/** The drivers name the setting of the primary in their texts. */
export function asFailure(thrown: unknown): CoordinatorError {
  const error =
    thrown instanceof CoordinatorError ? thrown : new CoordinatorError('COORD_STORE_FAULT', { cause: thrown })
  const named = (text: string) => text.replaceAll('DATABASE_URL', 'DATABASE_REPLICAS')
  return error.with({ detail: named(error.detail), hint: named(error.hint) })
}
