import { CoordinatorError } from '../../errors.ts'
import type { ConnectionFigures } from '../store.ts'
import type { Cluster } from './cluster.ts'
import type { Connection } from './connection.ts'
import type { PostgresSettings } from './options.ts'

interface Held {
  readonly connection: Connection
  readonly epoch: number
  readonly expiresAt: number
}

interface Waiter {
  readonly wake: (held: Held | undefined) => void
  readonly fail: (error: CoordinatorError) => void
}

/** A few connections for one purpose, handed to callers in the order in which they came. */
export class Lane {
  readonly #cluster: Cluster
  readonly #settings: PostgresSettings
  readonly #max: number
  readonly #idle: Held[] = []
  readonly #waiting: Waiter[] = []
  readonly #underWay = new Set<Promise<unknown>>()
  #used = 0
  #closed = false

  constructor(cluster: Cluster, settings: PostgresSettings, max: number) {
    this.#cluster = cluster
    this.#settings = settings
    this.#max = max
  }

  get figures(): ConnectionFigures {
    return {
      idle: this.#idle.length,
      used: this.#used,
      waiting: this.#waiting.length,
      max: this.#max,
    }
  }

  /**
   * Lends a connection for the time of some work.
   *
   * @throws COORD_STORE_TIMEOUT where none becomes free in time; what connecting and the work throw
   */
  use<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    return this.#track(this.#use(work))
  }

  /** Refuses further use. Resolves when what is under way has its answer, or has met its deadline, and nothing is open. */
  async close(): Promise<void> {
    this.#closed = true
    for (const { fail } of this.#waiting.splice(0)) fail(closed())
    for (const { connection } of this.#idle.splice(0)) void this.#end(connection)
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay)
  }

  async #use<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    const held = await this.#acquire()
    try {
      return await work(held.connection)
    } finally {
      this.#release(held)
    }
  }

  #end(connection: Connection): Promise<void> {
    return this.#track(connection.close())
  }

  async #track<T>(work: Promise<T>): Promise<T> {
    this.#underWay.add(work)
    try {
      return await work
    } finally {
      this.#underWay.delete(work)
    }
  }

  /** Takes over a free connection, or makes one, or waits for its turn. */
  async #acquire(): Promise<Held> {
    if (this.#closed) throw closed()
    if (this.#used + this.#idle.length >= this.#max && this.#idle.length === 0) {
      const handed = await this.#wait()
      if (handed !== undefined) return handed
    } else {
      this.#used += 1
    }
    try {
      return (await this.#takeIdle()) ?? (await this.#make())
    } catch (thrown) {
      this.#giveUp()
      throw thrown
    }
  }

  /** The place of a caller that goes away comes with it: `undefined` means that a connection is still to be made. */
  #wait(): Promise<Held | undefined> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        wake: (held) => {
          clearTimeout(timer)
          resolve(held)
        },
        fail: (error) => {
          clearTimeout(timer)
          reject(error)
        },
      }
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1)
        reject(
          new CoordinatorError('COORD_STORE_TIMEOUT', {
            detail: `None of ${this.#max} connections became free within ${this.#settings.acquireTimeoutMs} ms.`,
            outcome: 'not_written',
          }),
        )
      }, this.#settings.acquireTimeoutMs)
      this.#waiting.push(waiter)
    })
  }

  async #takeIdle(): Promise<Held | undefined> {
    for (let held = this.#idle.pop(); held !== undefined; held = this.#idle.pop()) {
      if (this.#isUsable(held) && (await this.#stillWorks(held.connection))) return held
      void this.#end(held.connection)
    }
    return undefined
  }

  async #stillWorks(connection: Connection): Promise<boolean> {
    if (performance.now() - connection.usedAt < this.#settings.validateAfterMs) return true
    try {
      await connection.run({ text: 'select 1', doing: 'checking a connection', timeoutMs: 1_000 })
      return true
    } catch {
      // A connection that died in its sleep is replaced by a new one, which meets the true cause if there is one.
      return false
    }
  }

  async #make(): Promise<Held> {
    const { epoch } = this.#cluster
    const connection = await this.#cluster.connect()
    if (this.#closed) {
      void this.#end(connection)
      throw closed()
    }
    const lifetime = this.#settings.maxLifetimeMs * (1 - Math.random() / 10)
    return { connection, epoch, expiresAt: performance.now() + lifetime }
  }

  #release(held: Held): void {
    if (!this.#isUsable(held)) {
      void this.#end(held.connection)
      this.#giveUp()
      return
    }
    const next = this.#waiting.shift()
    if (next !== undefined) return next.wake(held)
    this.#used -= 1
    this.#idle.push(held)
  }

  #giveUp(): void {
    const next = this.#waiting.shift()
    if (next !== undefined) next.wake(undefined)
    else this.#used -= 1
  }

  #isUsable({ connection, epoch, expiresAt }: Held): boolean {
    return (
      !this.#closed && !connection.broken && epoch === this.#cluster.epoch && performance.now() < expiresAt
    )
  }
}

function closed(): CoordinatorError {
  return new CoordinatorError('COORD_STORE_UNAVAILABLE', {
    detail: 'The store is closed.',
    outcome: 'not_written',
  })
}
