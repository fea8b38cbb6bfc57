import { closedStore, Semaphore } from '../../scheduling/semaphore.ts'
import type { ConnectionFigures, PoolFigures, PoolObserver } from '../store.ts'
import type { ConnectionSource } from './cluster.ts'
import type { Connection } from './connection.ts'
import type { PostgresSettings } from './options.ts'

/** A connection that one call uses alone, and the time until which it may be used again. */
export interface Lent {
  readonly connection: Connection
  /** Epoch of the cluster in which it was made. */
  readonly epoch: number
  readonly expiresAt: number
}

export interface ConnectionPoolOptions {
  readonly role: keyof PoolFigures
  readonly max: number
}

/** A few connections for one purpose, lent to callers in the order in which they came. */
export class ConnectionPool {
  readonly #cluster: ConnectionSource
  readonly #settings: PostgresSettings
  readonly #role: keyof PoolFigures
  readonly #semaphore: Semaphore
  readonly #idle: Lent[] = []
  /** Connections that are being closed. */
  readonly #ending = new Set<Promise<void>>()
  #observer: PoolObserver | undefined
  #closed = false

  constructor(cluster: ConnectionSource, settings: PostgresSettings, { role, max }: ConnectionPoolOptions) {
    this.#cluster = cluster
    this.#settings = settings
    this.#role = role
    this.#semaphore = new Semaphore({
      max,
      timeoutMs: settings.acquireTimeoutMs,
      onTimeout: () => this.#observer?.acquireTimedOut(role),
    })
  }

  get figures(): ConnectionFigures {
    const { inside, waiting, max } = this.#semaphore.figures
    // The connection that was used last is lent first, because the server may have closed the others while they were idle.
    const idle = this.#idle.filter(({ connection }) => !connection.broken).length
    return { idle, used: inside, waiting, max }
  }

  observe(observer: PoolObserver): void {
    this.#observer = observer
  }

  /**
   * Lends a connection until `release`.
   *
   * @throws COORD_STORE_TIMEOUT if none is free in time; what connecting throws
   */
  async acquire(): Promise<Lent> {
    const { waited, waitMs } = await this.#semaphore.acquire()
    try {
      const startedAt = performance.now()
      const free = await this.#takeIdle()
      const lent = free ?? (await this.#make())
      this.#observer?.acquired(this.#role, {
        waited: waited || free === undefined,
        waitMs: waitMs + performance.now() - startedAt,
      })
      return lent
    } catch (thrown) {
      this.#semaphore.release()
      throw thrown
    }
  }

  /** Takes a connection back. */
  release(lent: Lent): void {
    if (this.#isUsable(lent)) this.#idle.push(lent)
    else this.#end(lent.connection)
    this.#semaphore.release()
  }

  /** Lends a connection for some work. */
  async use<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    const lent = await this.acquire()
    try {
      return await work(lent.connection)
    } finally {
      this.release(lent)
    }
  }

  /**
   * Refuses further calls. Resolves when all calls in progress have their answer, or have exceeded their deadline, and all connections are
   * closed.
   */
  async close(): Promise<void> {
    this.#closed = true
    const drained = this.#semaphore.close()
    for (const { connection } of this.#idle.splice(0)) this.#end(connection)
    await drained
    await Promise.all(this.#ending)
  }

  async #takeIdle(): Promise<Lent | undefined> {
    for (let lent = this.#idle.pop(); lent !== undefined; lent = this.#idle.pop()) {
      if (this.#isUsable(lent) && (await this.#stillWorks(lent.connection))) return lent
      this.#end(lent.connection)
    }
    return undefined
  }

  async #stillWorks(connection: Connection): Promise<boolean> {
    if (performance.now() - connection.usedAt < this.#settings.validateAfterMs) return true
    try {
      await connection.run({ text: 'select 1', doing: 'checking a connection', timeoutMs: 1_000 })
      return true
    } catch {
      // A new connection shows the true cause, if there is one. Whatever broke this connection while it was idle has usually broken the
      // others, too: checking each of them would take a second each.
      this.#cluster.suspect()
      return false
    }
  }

  async #make(): Promise<Lent> {
    const { epoch } = this.#cluster
    const connection = await this.#cluster.connect()
    if (this.#closed) {
      this.#end(connection)
      throw closedStore()
    }
    const lifetime = this.#settings.maxLifetimeMs * (1 - Math.random() / 10)
    return { connection, epoch, expiresAt: performance.now() + lifetime }
  }

  #isUsable({ connection, epoch, expiresAt }: Lent): boolean {
    return (
      !this.#closed && !connection.broken && epoch === this.#cluster.epoch && performance.now() < expiresAt
    )
  }

  #end(connection: Connection): void {
    const ending = connection.close().finally(() => this.#ending.delete(ending))
    this.#ending.add(ending)
  }
}
