import { closedStore, type Passage, Turnstile } from '../../scheduling/turnstile.ts'
import type { ConnectionFigures, PoolFigures, PoolObserver } from '../store.ts'
import type { Cluster } from './cluster.ts'
import type { Connection } from './connection.ts'
import type { PostgresSettings } from './options.ts'

/** A connection, and until when it may be used again. */
interface Held {
  readonly connection: Connection
  /** Epoch of the cluster in which it was made. */
  readonly epoch: number
  readonly expiresAt: number
}

export interface LaneOptions {
  readonly role: keyof PoolFigures
  readonly max: number
}

/** A few connections for one purpose, handed to callers in the order in which they came. */
export class Lane {
  readonly #cluster: Cluster
  readonly #settings: PostgresSettings
  readonly #role: keyof PoolFigures
  readonly #turnstile: Turnstile
  readonly #idle: Held[] = []
  /** What must have ended before the lane counts as closed. */
  readonly #underWay = new Set<Promise<unknown>>()
  #observer: PoolObserver | undefined
  #closed = false

  constructor(cluster: Cluster, settings: PostgresSettings, { role, max }: LaneOptions) {
    this.#cluster = cluster
    this.#settings = settings
    this.#role = role
    this.#turnstile = new Turnstile({
      max,
      timeoutMs: settings.acquireTimeoutMs,
      onTimeout: () => this.#observer?.acquireTimedOut(role),
    })
  }

  get figures(): ConnectionFigures {
    const { inside, waiting, max } = this.#turnstile.figures
    // The one used last is lent first: what the server has ended under it may lie here for long.
    const idle = this.#idle.filter(({ connection }) => !connection.broken).length
    return { idle, used: inside, waiting, max }
  }

  observe(observer: PoolObserver): void {
    this.#observer = observer
  }

  /**
   * Lends a connection for the time of some work.
   *
   * @throws COORD_STORE_TIMEOUT where none becomes free in time; what connecting and the work throw
   */
  use<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    return this.#track(this.#turnstile.pass((passage) => this.#lend(passage, work)))
  }

  /** Refuses further use. Resolves when what is under way has its answer, or has met its deadline, and nothing is open. */
  async close(): Promise<void> {
    this.#closed = true
    this.#turnstile.close()
    for (const { connection } of this.#idle.splice(0)) this.#discard(connection)
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay)
  }

  async #lend<T>(passage: Passage, work: (connection: Connection) => Promise<T>): Promise<T> {
    const started = performance.now()
    const free = await this.#takeIdle()
    const held = free ?? (await this.#make())
    this.#observer?.acquired(this.#role, {
      waited: passage.waited || free === undefined,
      waitMs: passage.waitMs + performance.now() - started,
    })
    try {
      return await work(held.connection)
    } finally {
      if (this.#isUsable(held)) this.#idle.push(held)
      else this.#discard(held.connection)
    }
  }

  async #takeIdle(): Promise<Held | undefined> {
    for (let held = this.#idle.pop(); held !== undefined; held = this.#idle.pop()) {
      if (this.#isUsable(held) && (await this.#stillWorks(held.connection))) return held
      this.#discard(held.connection)
    }
    return undefined
  }

  async #stillWorks(connection: Connection): Promise<boolean> {
    if (performance.now() - connection.usedAt < this.#settings.validateAfterMs) return true
    try {
      await connection.run({ text: 'select 1', doing: 'checking a connection', timeoutMs: 1_000 })
      return true
    } catch {
      // A connection that died in its sleep is replaced by a new one, which meets the true cause if there is one. What killed
      // it killed the others too, as a rule: asking each of them would take a second each.
      this.#cluster.suspect()
      return false
    }
  }

  async #make(): Promise<Held> {
    const { epoch } = this.#cluster
    const connection = await this.#cluster.connect()
    if (this.#closed) {
      this.#discard(connection)
      throw closedStore()
    }
    const lifetime = this.#settings.maxLifetimeMs * (1 - Math.random() / 10)
    return { connection, epoch, expiresAt: performance.now() + lifetime }
  }

  #isUsable({ connection, epoch, expiresAt }: Held): boolean {
    return (
      !this.#closed && !connection.broken && epoch === this.#cluster.epoch && performance.now() < expiresAt
    )
  }

  #discard(connection: Connection): void {
    void this.#track(connection.close())
  }

  async #track<T>(work: Promise<T>): Promise<T> {
    this.#underWay.add(work)
    try {
      return await work
    } finally {
      this.#underWay.delete(work)
    }
  }
}
