import { CoordinatorError } from '../errors.ts'

export interface SemaphoreOptions {
  /** How much work may run at the same time. */
  readonly max: number
  /** How much work may wait. One client may have half of that. @default any amount */
  readonly maxWaiting?: number
  /** How long work may wait, in milliseconds. @default for ever */
  readonly timeoutMs?: number
  /** Called when work has waited too long. @default nothing */
  readonly onTimeout?: () => void
}

/** The client that wants some work, and a signal that says when nobody wants it any more. */
export interface Wish {
  /** Aborted when nobody wants the work any more. Work that still waits then stops waiting. */
  readonly signal?: AbortSignal | undefined
  /**
   * Clients take turns. The work of one client may have half of `max` and of `maxWaiting`, so that others always find a place.
   * @default a client without these limits
   */
  readonly client?: string | undefined
}

/** How some work got its turn. */
export interface Wait {
  /** Whether other work had to end first. */
  readonly waited: boolean
  readonly waitMs: number
}

interface Waiter {
  readonly client: string | undefined
  readonly enter: () => void
  readonly fail: (error: CoordinatorError) => void
}

const noWait: Wait = { waited: false, waitMs: 0 }

/**
 * Limits how much work runs at the same time. Clients take turns; the work of one client runs in order, and takes at most half of the
 * places.
 */
export class Semaphore {
  readonly #options: SemaphoreOptions
  readonly #maxWaiting: number
  /** In the order of arrival. */
  readonly #waiting = new Set<Waiter>()
  /** The number of the last turn of each client. Kept while any work waits. */
  readonly #turns = new Map<string | undefined, number>()
  /** How much work of each client runs. */
  readonly #insideOf = new Map<string, number>()
  readonly #drained = Promise.withResolvers<void>()
  #turnCount = 0
  #inside = 0
  #closed = false

  constructor(options: SemaphoreOptions) {
    this.#options = options
    this.#maxWaiting = options.maxWaiting ?? Number.POSITIVE_INFINITY
  }

  get figures(): { readonly inside: number; readonly waiting: number; readonly max: number } {
    return { inside: this.#inside, waiting: this.#waiting.size, max: this.#options.max }
  }

  /**
   * Waits for a turn, and then does the work.
   *
   * @throws what `acquire` throws, and what the work throws
   */
  async run<T>(work: (wait: Wait) => Promise<T>, wish?: Wish): Promise<T> {
    const wait = this.#tryEnter(wish?.client) ? noWait : await this.#wait(wish)
    try {
      return await work(wait)
    } finally {
      this.release(wish?.client)
    }
  }

  /**
   * Waits for a turn. `release` must be called at the end of the work, with the same client.
   *
   * @throws COORD_GRAPH_BUSY if too much work waits, in all or of one client; COORD_STORE_TIMEOUT after the time limit;
   * COORD_STORE_UNAVAILABLE once it is closed; the reason of `signal` once it is aborted
   */
  async acquire(wish?: Wish): Promise<Wait> {
    return this.#tryEnter(wish?.client) ? noWait : this.#wait(wish)
  }

  release(client?: string): void {
    this.#inside -= 1
    const ofClient = client === undefined ? 0 : (this.#insideOf.get(client) ?? 0) - 1
    if (client !== undefined && ofClient > 0) this.#insideOf.set(client, ofClient)
    else if (client !== undefined) this.#insideOf.delete(client)
    // If a client has half of the places, others may be free although its work waits.
    while (this.#inside < this.#options.max) {
      const next = this.#next()
      if (next === undefined) break
      this.#enter(next.client)
      next.enter()
    }
    if (this.#closed && this.#inside === 0) this.#drained.resolve()
  }

  /** Refuses all waiting and new work. Resolves when the running work has ended. */
  close(): Promise<void> {
    this.#closed = true
    for (const { fail } of [...this.#waiting]) fail(closedStore())
    if (this.#inside === 0) this.#drained.resolve()
    return this.#drained.promise
  }

  #tryEnter(client: string | undefined): boolean {
    if (this.#closed || this.#inside >= this.#options.max || !this.#mayEnter(client)) return false
    this.#enter(client)
    return true
  }

  #mayEnter(client: string | undefined): boolean {
    if (client === undefined) return true
    return (this.#insideOf.get(client) ?? 0) < Math.max(1, Math.floor(this.#options.max / 2))
  }

  #enter(client: string | undefined): void {
    this.#inside += 1
    if (client !== undefined) this.#insideOf.set(client, (this.#insideOf.get(client) ?? 0) + 1)
  }

  #next(): Waiter | undefined {
    let next: Waiter | undefined
    let earliest = Number.POSITIVE_INFINITY
    for (const waiter of this.#waiting) {
      const turn = this.#turns.get(waiter.client) ?? 0
      if (turn >= earliest || !this.#mayEnter(waiter.client)) continue
      next = waiter
      earliest = turn
    }
    return next
  }

  #wait({ signal, client }: Wish = {}): Promise<Wait> {
    if (signal?.aborted === true) return Promise.reject(reasonOf(signal))
    const refusal = this.#refusalOf(client)
    if (refusal !== undefined) return Promise.reject(refusal)
    const { timeoutMs } = this.#options
    const startedAt = performance.now()
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiting.delete(waiter)
        clearTimeout(timer)
        signal?.removeEventListener('abort', abort)
      }
      const waiter: Waiter = {
        client,
        enter: () => {
          leave()
          this.#turns.set(client, ++this.#turnCount)
          if (this.#waiting.size === 0) this.#turns.clear()
          resolve({ waited: true, waitMs: performance.now() - startedAt })
        },
        fail: (error) => {
          leave()
          reject(error)
        },
      }
      const abort = () => waiter.fail(reasonOf(signal as AbortSignal))
      const timer = timeoutMs === undefined ? undefined : setTimeout(() => this.#expire(waiter), timeoutMs)
      signal?.addEventListener('abort', abort)
      this.#waiting.add(waiter)
    })
  }

  #refusalOf(client: string | undefined): CoordinatorError | undefined {
    if (this.#closed) return closedStore()
    if (this.#waiting.size >= this.#maxWaiting)
      return busy(`${this.#waiting.size} questions are waiting already.`)
    if (client === undefined || this.#maxWaiting === Number.POSITIVE_INFINITY) return undefined
    const ofClient = [...this.#waiting].filter((waiter) => waiter.client === client).length
    return ofClient >= this.#maxWaiting / 2
      ? busy(`${ofClient} questions of the same client are waiting already.`)
      : undefined
  }

  #expire(waiter: Waiter): void {
    const { max, timeoutMs, onTimeout } = this.#options
    onTimeout?.()
    waiter.fail(
      new CoordinatorError('COORD_STORE_TIMEOUT', {
        detail: `None of ${max} connections became free within ${timeoutMs} ms.`,
        outcome: 'not_written',
      }),
    )
  }
}

export function closedStore(): CoordinatorError {
  return new CoordinatorError('COORD_STORE_UNAVAILABLE', {
    detail: 'The store is closed.',
    outcome: 'not_written',
  })
}

function reasonOf({ reason }: AbortSignal): CoordinatorError {
  return reason instanceof CoordinatorError
    ? reason
    : busy('The client was gone before the work could begin.')
}

function busy(detail: string): CoordinatorError {
  return new CoordinatorError('COORD_GRAPH_BUSY', { detail, retryAfterSeconds: 2 })
}
