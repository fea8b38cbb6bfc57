import type { ServerResponse } from 'node:http'
import { setImmediate as turn } from 'node:timers/promises'
import { type CoordinatorError, toCoordinatorError } from '../../errors.ts'
import type { EntryRing } from '../../live/following/entry-ring.ts'
import { answering, currentQuestion, forNobody } from '../../scheduling/client-question.ts'
import { COMMENT_MS, RETRY_LINE } from './event-frames.ts'

/** How often streams try to begin again, in milliseconds. They also try at once when the records are loaded. */
const TRY_MS = 1_000
/** How many streams try in one turn of the event loop. */
const TRIED_AT_ONCE = 50

/** Whether an error passes by itself, and is no fault of the client. */
export function passes({ retryable, status }: CoordinatorError): boolean {
  return retryable && status >= 500
}

/** A stream that cannot begin yet. */
export interface Beginning {
  /** Why it could not begin. */
  readonly fault: CoordinatorError
  /** Begins the stream. It is called again as long as it fails with an error that passes by itself. */
  readonly begin: () => Promise<void>
}

class Waiting {
  readonly response: ServerResponse
  readonly begin: () => Promise<void>
  /** The question with which it came: the stream begins in its name. */
  readonly question = currentQuestion()
  fault: CoordinatorError
  isTrying = false

  constructor(response: ServerResponse, { begin, fault }: Beginning) {
    this.response = response
    this.begin = begin
    this.fault = fault
  }

  get open(): boolean {
    return !this.response.destroyed && !this.response.writableEnded
  }
}

/**
 * The streams that have begun to answer, but have no entries to send yet: the records are not loaded, this coordinator has not reached
 * their position, or the database does not answer. An EventSource gives up for ever when it gets an error, but it waits as long as comments
 * come.
 */
export class WaitingStreams {
  readonly #ring: EntryRing
  readonly #waiting = new Set<Waiting>()
  readonly #timers: readonly NodeJS.Timeout[]
  #trying = false

  constructor(ring: EntryRing, draining: AbortSignal) {
    this.#ring = ring
    const tryAll = () => void forNobody(() => this.#tryAll())
    ring.listen({ replaced: tryAll })
    const tell = () => {
      for (const waiting of this.#waiting) this.#tell(waiting)
    }
    this.#timers = [setInterval(tryAll, TRY_MS).unref(), setInterval(tell, COMMENT_MS).unref()]
    draining.addEventListener('abort', () => this.#endAll(), { once: true })
  }

  get count(): number {
    return this.#waiting.size
  }

  /**
   * Begins a stream as soon as it can begin, and sends comments until then. The headers of the answer have been sent already.
   *
   * @returns a function that ends the stream, as long as it waits
   */
  add(response: ServerResponse, beginning: Beginning): () => void {
    const waiting = new Waiting(response, beginning)
    const end = () => {
      if (this.#waiting.has(waiting)) this.#end(waiting)
    }
    // A client that has already disconnected would be counted for ever, because its `close` event is over.
    if (!waiting.open) return end
    this.#waiting.add(waiting)
    response.on('close', () => this.#waiting.delete(waiting))
    response.write(RETRY_LINE)
    this.#tell(waiting)
    return end
  }

  async #tryAll(): Promise<void> {
    // Before the first load, none of them can begin.
    if (this.#trying || this.#ring.base === undefined) return
    this.#trying = true
    let tried = 0
    for (const waiting of [...this.#waiting]) {
      if (waiting.isTrying) continue
      void this.#try(waiting)
      tried += 1
      if (tried % TRIED_AT_ONCE === 0) await turn()
    }
    this.#trying = false
  }

  async #try(waiting: Waiting): Promise<void> {
    const { question, begin } = waiting
    if (!this.#waiting.has(waiting)) return
    waiting.isTrying = true
    try {
      await (question === undefined ? begin() : answering(question, begin))
      this.#waiting.delete(waiting)
    } catch (thrown) {
      const error = toCoordinatorError(thrown)
      waiting.fault = error
      // The client connects again, and gets the error as the status of its answer.
      if (!passes(error) && this.#waiting.has(waiting)) this.#end(waiting)
    } finally {
      waiting.isTrying = false
    }
  }

  /** Tells people why nothing comes. Programs ignore comments. */
  #tell({ response, fault: { code, detail } }: Waiting): void {
    // A client that reads nothing must not make them pile up.
    if (response.writableNeedDrain) return
    response.write(`: waiting, ${code}: ${detail.replaceAll(/\s+/g, ' ')}\n\n`)
  }

  #end(waiting: Waiting): void {
    this.#waiting.delete(waiting)
    waiting.response.end()
  }

  #endAll(): void {
    for (const timer of this.#timers) clearInterval(timer)
    for (const waiting of this.#waiting) this.#end(waiting)
  }
}
