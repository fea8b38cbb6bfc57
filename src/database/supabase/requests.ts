import { type Dispatcher, fetch as undiciFetch } from 'undici'
import packageJson from '../../../package.json' with { type: 'json' }
import { keyHeaders } from '../../config/supabase.ts'
import { CoordinatorError } from '../../errors.ts'
import { closedStore } from '../../scheduling/semaphore.ts'
import { answerFault } from './answer-fault.ts'
import { MendingAdvice } from './mending-advice.ts'
import { networkFault, tooLate } from './network-fault.ts'
import type { SupabaseSettings } from './options.ts'

/** The longest pause after `429 Too Many Requests`, whatever the answer asks for. */
const LONGEST_PAUSE_S = 60

export interface RequestsOptions {
  /** Whether the requests may change anything: errors then carry `outcome`. */
  readonly writing: boolean
  /** The connections that a request uses. */
  readonly dispatcher: () => Dispatcher
}

/** Sends requests to the Data API. Anything but a readable success is thrown as the right COORD_* error. */
export class Requests {
  readonly #settings: SupabaseSettings
  readonly #options: RequestsOptions
  readonly #advice: MendingAdvice
  readonly #host: string
  readonly #underWay = new Set<AbortController>()
  #closed = false
  /** The Data API accepts no request before the time `until`. */
  #pause: { readonly until: number; readonly error: CoordinatorError } | undefined

  constructor(settings: SupabaseSettings, options: RequestsOptions) {
    this.#settings = settings
    this.#options = options
    this.#advice = new MendingAdvice(settings)
    this.#host = new URL(settings.target.url).host
  }

  /** supabase-js calls this instead of the global `fetch`: one attempt under a deadline that covers the whole body. */
  readonly fetch: typeof globalThis.fetch = async (input, init = {}) => {
    this.#respectPause()
    const url = String(input)
    const { callTimeoutMs } = this.#settings
    const failure = { host: this.#host, writing: this.#options.writing }
    const call = new AbortController()
    const timer = setTimeout(() => call.abort(tooLate(failure, callTimeoutMs)), callTimeoutMs)
    this.#underWay.add(call)
    const giveUp = () => call.abort(init.signal?.reason)
    if (init.signal?.aborted) giveUp()
    init.signal?.addEventListener('abort', giveUp)
    try {
      const response = await this.#send(url, init, call.signal)
      // An answer that has begun to arrive is not lost: from here on only the deadline counts.
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

  /** Ends requests in progress, and refuses new ones. */
  close(): void {
    this.#closed = true
    const reason = this.#options.writing ? closedStore().withOutcome('unknown') : closedStore()
    for (const call of this.#underWay) call.abort(reason)
  }

  #send(url: string, init: RequestInit, signal: AbortSignal): Promise<Exchanged> {
    return undiciFetch(url, {
      method: init.method ?? 'GET',
      headers: this.#headers(init.headers),
      body: (init.body ?? null) as string | null,
      redirect: 'manual',
      signal,
      dispatcher: this.#options.dispatcher(),
    })
  }

  /** supabase-js sends every key as a bearer token, too. Gateways refuse this for keys that are not JWTs. */
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
    const { writing } = this.#options
    const contentType = response.headers.get('content-type')?.toLowerCase() ?? ''
    const { status } = response
    // supabase-js reads the body once more, and would take an unreadable one for a success.
    if (status === 200 && contentType.includes('json'))
      return new Response(body, { status, headers: { 'content-type': contentType } })
    if (response.ok)
      throw new CoordinatorError('COORD_STORE_REPLY', {
        detail: `The Data API at ${this.#host} answers HTTP ${status} with ${contentType === '' ? 'no content type' : contentType.split(';')[0]} instead of JSON.`,
        ...(writing ? { outcome: 'unknown' } : {}),
      })
    const error = answerFault(
      {
        status,
        contentType,
        body,
        retryAfter: response.headers.get('retry-after') ?? undefined,
        proxyStatus: response.headers.get('proxy-status') ?? undefined,
      },
      { host: this.#host, called, writing, advice: this.#advice },
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
    throw this.#options.writing ? this.#pause.error.withOutcome('not_written') : this.#pause.error
  }
}

type Exchanged = Awaited<ReturnType<typeof undiciFetch>>
