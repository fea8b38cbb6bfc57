import { createClient, type SupabaseClient } from '@supabase/supabase-js'
import { Pool } from 'undici'
import { Semaphore } from '../../scheduling/semaphore.ts'
import type { ConnectionFigures, PoolFigures, PoolObserver } from '../store.ts'
import type { SupabaseSettings } from './options.ts'
import { Requests } from './requests.ts'

// If a peer closes an idle connection at the moment of a request, the request is lost. Our time limit must therefore be shorter. Gateways
// in front of Supabase keep connections longer than half a minute. If a server names a shorter time, that one is used.
const KEEP_ALIVE_MARGIN_MS = 1_500

export interface ConnectionPoolOptions {
  readonly role: keyof PoolFigures
  /** The largest number of connections. */
  readonly max: number
  /** Whether a connection serves several calls; otherwise each call opens its own. @default true */
  readonly reuse?: boolean
}

/** A few connections to the Data API for one purpose. Calls use them in the order in which they came. */
export class ConnectionPool {
  /** To be used between `acquire` and `release`. */
  readonly client: SupabaseClient
  readonly #role: keyof PoolFigures
  readonly #makePool: () => Pool
  readonly #semaphore: Semaphore
  readonly #requests: Requests
  #pool: Pool
  #closed = false
  #observer: PoolObserver | undefined

  constructor(settings: SupabaseSettings, { role, max, reuse = true }: ConnectionPoolOptions) {
    const { target, connectTimeoutMs, keepAliveMs } = settings
    this.#role = role
    this.#semaphore = new Semaphore({
      max,
      timeoutMs: settings.acquireTimeoutMs,
      onTimeout: () => this.#observer?.acquireTimedOut(role),
    })
    this.#makePool = () =>
      new Pool(new URL(target.url).origin, {
        connections: max,
        pipelining: reuse ? 1 : 0,
        allowH2: false,
        connect: { timeout: connectTimeoutMs },
        keepAliveTimeout: keepAliveMs,
        keepAliveMaxTimeout: keepAliveMs,
        keepAliveTimeoutThreshold: KEEP_ALIVE_MARGIN_MS,
        // The deadline of a call is the only one.
        headersTimeout: 0,
        bodyTimeout: 0,
      })
    this.#pool = this.#makePool()
    this.#requests = new Requests(settings, { writing: role === 'writer', dispatcher: () => this.#pool })
    // supabase-js without what a server has no use for: sessions, their timers, retries, a channel for changes.
    this.client = createClient(target.url, target.key.reveal(), {
      auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
      db: { schema: 'public', retry: false },
      global: { fetch: this.#requests.fetch },
    })
  }

  get figures(): ConnectionFigures {
    const { inside, waiting, max } = this.#semaphore.figures
    const { connected } = this.#pool.stats
    return { used: inside, idle: Math.max(0, connected - inside), waiting, max }
  }

  observe(observer: PoolObserver): void {
    this.#observer = observer
  }

  /**
   * Waits until a connection is free. `release` must be called at the end of the call.
   *
   * @throws COORD_STORE_TIMEOUT if none is free in time
   */
  async acquire(): Promise<void> {
    const wait = await this.#semaphore.acquire()
    this.#observer?.acquired(this.#role, wait)
  }

  release(): void {
    this.#semaphore.release()
  }

  /**
   * Does not use the present connections again. Another one of the same age turned out to be dead, for example because a router lost its
   * state. Calls in progress continue.
   */
  renew(): void {
    if (this.#closed) return
    const old = this.#pool
    this.#pool = this.#makePool()
    void old.close()
  }

  /** Ends calls in progress, and closes every connection. */
  async close(): Promise<void> {
    this.#closed = true
    void this.#semaphore.close()
    this.#requests.close()
    await this.#pool.destroy()
  }
}
