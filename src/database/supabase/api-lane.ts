import { type Dispatcher, Pool, fetch as undiciFetch } from 'undici'
import packageJson from '../../../package.json' with { type: 'json' }
import { keyHeaders } from '../../config/supabase.ts'
import { CoordinatorError } from '../../errors.ts'
import { closedStore, Turnstile } from '../../scheduling/turnstile.ts'
import type { ConnectionFigures, PoolFigures, PoolObserver } from '../store.ts'
import { answerFault } from './answer-fault.ts'
import { MendingAdvice } from './mending-advice.ts'
import { networkFault, tooLate } from './network-fault.ts'
import type { SupabaseSettings } from './options.ts'

// A peer that closes an idle connection at the moment of a request loses it: ours must be the shorter patience. Gateways in
// front of Supabase keep connections longer than half a minute; a server that names a shorter time is believed.
const KEEP_ALIVE_MARGIN_MS = 1_500

/** The longest pause after `429 Too Many Requests` that is kept, whatever the answer asks for. */
const LONGEST_PAUSE_S = 60

export interface LaneOptions {
  readonly role: keyof PoolFigures
  /** How many connections it may have. */
  readonly max: number
  /** Whether a connection serves one call after the other; otherwise each call makes its own. @default true */
  readonly reuse?: boolean
}

/**
 * A few connections to the Data API for one purpose. Its `fetch` is what supabase-js gets: one attempt under a deadline that
 * covers the whole body; anything but a readable success is thrown as the right COORD_* error.
 */
export class ApiLane {
  readonly #settings: SupabaseSettings
  readonly #advice: MendingAdvice
  readonly #role: keyof PoolFigures
  readonly #host: string
  readonly #makePool: () => Pool
  readonly #turnstile: Turnstile
  readonly #underWay = new Set<AbortController>()
  #pool: Pool
  #closed = false
  #observer: PoolObserver | undefined
  /** Until then the Data API wants no request. */
  #pause: { readonly until: number; readonly error: CoordinatorError } | undefined

  constructor(settings: SupabaseSettings, { role, max, reuse = true }: LaneOptions) {
    const { origin, host } = new URL(settings.target.url)
    this.#settings = settings
    this.#advice = new MendingAdvice(settings)
    this.#role = role
    this.#host = host
    this.#turnstile = new Turnstile({
      max,
      timeoutMs: settings.acquireTimeoutMs,
      onTimeout: () => this.#observer?.acquireTimedOut(this.#role),
    })
    this.#makePool = () =>
      new Pool(origin, {
        connections: max,
        pipelining: reuse ? 1 : 0,
        allowH2: false,
        connect: { timeout: settings.connectTimeoutMs },
        keepAliveTimeout: settings.keepAliveMs,
        keepAliveMaxTimeout: settings.keepAliveMs,
        keepAliveTimeoutThreshold: KEEP_ALIVE_MARGIN_MS,
        // The deadline of a call is the only one.
        headersTimeout: 0,
        bodyTimeout: 0,
      })
    this.#pool = this.#makePool()
  }

  get figures(): ConnectionFigures {
    const { inside, waiting, max } = this.#turnstile.figures
    const { connected } = this.#pool.stats
    return { used: inside, idle: Math.max(0, connected - inside), waiting, max }
  }

  /** What supabase-js calls instead of the global `fetch`. In a writing lane only within `inTurn`. */
  readonly fetch: typeof globalThis.fetch = (input, init) => {
    const ask = () => this.#ask(String(input), init ?? {})
    return this.#writing ? ask() : this.inTurn(ask)
  }

  /** Does some work as soon as a connection is free for it. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    return this.#turnstile.pass((passage) => {
      this.#observer?.acquired(this.#role, passage)
      return work()
    })
  }

  observe(observer: PoolObserver): void {
    this.#observer = observer
  }

  get #writing(): boolean {
    return this.#role === 'writer'
  }

  /**
   * Uses no connection again that is there now: a sibling turned out to lead nowhere, and what made it so, such as a router
   * that forgot, has met all of the same age. Calls that are under way go on.
   */
  renew(): void {
    if (this.#closed) return
    const old = this.#pool
    this.#pool = this.#makePool()
    void old.close()
  }

  /** Ends what is under way, and every connection. */
  async close(): Promise<void> {
    this.#closed = true
    this.#turnstile.close()
    const reason = this.#writing ? closedStore().withOutcome('unknown') : closedStore()
    for (const call of this.#underWay) call.abort(reason)
    await this.#pool.destroy()
  }

  async #ask(url: string, init: RequestInit): Promise<Response> {
    this.#respectPause()
    const failure = { host: this.#host, writing: this.#writing }
    const { callTimeoutMs } = this.#settings
    const call = new AbortController()
    const timer = setTimeout(() => {
      call.abort(tooLate(failure, callTimeoutMs))
    }, callTimeoutMs)
    this.#underWay.add(call)
    const giveUp = () => call.abort(init.signal?.reason)
    if (init.signal?.aborted) giveUp()
    init.signal?.addEventListener('abort', giveUp)
    try {
      const response = await this.#send(url, init, call.signal)
      // What has begun to arrive is not lost: from here on only the deadline counts.
      init.signal?.removeEventListener('abort', giveUp)
      const body = await response.text()
      return this.#judge({ response, body, called: url.slice(url.lastIndexOf('/') + 1) })
    } catch (thrown) {
      if (call.signal.aborted) throw call.signal.reason
      throw thrown instanceof CoordinatorError ? thrown : networkFault(thrown, failure)
    } finally {
      clearTimeout(timer)
      init.signal?.removeEventListener('abort', giveUp)
      this.#underWay.delete(call)
    }
  }

  #send(url: string, init: RequestInit, signal: AbortSignal): Promise<Exchanged> {
    return undiciFetch(url, {
      method: init.method ?? 'GET',
      headers: this.#headers(init.headers),
      body: (init.body ?? null) as string | null,
      redirect: 'manual',
      signal,
      dispatcher: this.#pool as Dispatcher,
    })
  }

  /** supabase-js sends every key as a bearer token too, which gateways refuse for the kinds that are none. */
  #headers(given: RequestInit['headers']): Record<string, string> {
    const headers = Object.fromEntries(new Headers(given))
    delete headers['authorization']
    return {
      ...headers,
      accept: 'application/json',
      'user-agent': `coordinator/${packageJson.version}`,
      ...keyHeaders(this.#settings.target),
    }
  }

  #judge({ response, body, called }: { response: Exchanged; body: string; called: string }): Response {
    const contentType = response.headers.get('content-type')?.toLowerCase() ?? ''
    const { status } = response
    // supabase-js reads the body once more, and would call a success what cannot be read.
    if (status === 200 && contentType.includes('json'))
      return new Response(body, { status, headers: { 'content-type': contentType } })
    if (response.ok)
      throw new CoordinatorError('COORD_STORE_REPLY', {
        detail: `The Data API at ${this.#host} answers HTTP ${status} with ${contentType === '' ? 'no content type' : contentType.split(';')[0]} instead of JSON.`,
        ...(this.#writing ? { outcome: 'unknown' } : {}),
      })
    const error = answerFault(
      {
        status,
        contentType,
        body,
        retryAfter: response.headers.get('retry-after') ?? undefined,
        proxyStatus: response.headers.get('proxy-status') ?? undefined,
      },
      { host: this.#host, called, writing: this.#writing, advice: this.#advice },
    )
    this.#notePause(error)
    throw error
  }

  #notePause(error: CoordinatorError): void {
    if (error.code !== 'COORD_STORE_RATE_LIMITED') return
    const seconds = Math.min(LONGEST_PAUSE_S, error.retryAfterSeconds ?? 1)
    this.#pause = { until: performance.now() + seconds * 1_000, error }
  }

  #respectPause(): void {
    if (this.#closed) throw closedStore()
    if (this.#pause === undefined || performance.now() >= this.#pause.until) return
    throw this.#writing ? this.#pause.error.withOutcome('not_written') : this.#pause.error
  }
}

type Exchanged = Awaited<ReturnType<typeof undiciFetch>>
