/** What a worker answers. */
export type WorkerAnswer<Result> =
  | { readonly question: number; readonly result: Result }
  | { readonly question: number; readonly fault: string }

/** Why there is no drawing: the worker did not start, failed, or took too long. */
export class WorkerFailed extends Error {}

/** Its script did not arrive, or the policy of the server blocks it. */
class WorkerNotStarted extends WorkerFailed {}

/** After how long a worker that did not start is started once more, in milliseconds. */
const AGAIN_MS = 1_000

/** The longest time for one answer, in milliseconds. A drawing that takes longer is better read as a table. */
const LONGEST_MS = 15_000

/**
 * Asks workers of one kind. A worker works on one question at a time: if the signal comes, it is ended, and the next question gets a new
 * one. To start one takes longer than most answers, so one worker without work is kept.
 */
export class WorkerTurns<Wanted, Result> {
  readonly #start: () => Worker
  #asked = 0
  #spare: Worker | undefined

  /** @param start `new Worker(new URL('./x.ts', import.meta.url), { type: 'module' })`, as the build wants to see it */
  constructor(start: () => Worker) {
    this.#start = start
  }

  /** A network that changes can cost a script: it is asked for a second time. @throws WorkerFailed, and the reason of the signal */
  async ask(wanted: Wanted, signal: AbortSignal): Promise<Result> {
    try {
      return await this.#askOnce(wanted, signal)
    } catch (error) {
      if (!(error instanceof WorkerNotStarted)) throw error
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS))
      return this.#askOnce(wanted, signal)
    }
  }

  async #askOnce(wanted: Wanted, signal: AbortSignal): Promise<Result> {
    signal.throwIfAborted()
    const worker = this.#spare ?? this.#start()
    this.#spare = undefined
    const question = ++this.#asked
    const { promise, resolve, reject } = Promise.withResolvers<Result>()
    const ended = new AbortController()
    const listening = { signal: ended.signal }
    worker.addEventListener(
      'message',
      ({ data }: MessageEvent<WorkerAnswer<Result>>) => {
        if (data.question !== question) return
        if ('fault' in data) reject(new WorkerFailed(data.fault))
        else resolve(data.result)
      },
      listening,
    )
    worker.addEventListener('error', ({ message }) => reject(failureOf(message)), listening)
    signal.addEventListener('abort', () => reject(signal.reason), listening)
    const late = `It takes longer than ${LONGEST_MS / 1_000} seconds.`
    const timer = setTimeout(() => reject(new WorkerFailed(late)), LONGEST_MS)
    worker.postMessage({ question, wanted })
    try {
      const result = await promise
      this.#keep(worker)
      return result
    } catch (error) {
      worker.terminate()
      throw error
    } finally {
      clearTimeout(timer)
      ended.abort()
    }
  }

  /** Two drawings of one page may have asked at the same time. */
  #keep(worker: Worker): void {
    if (this.#spare === undefined) this.#spare = worker
    else worker.terminate()
  }
}

/** @param message nothing, where the worker never ran */
function failureOf(message: string | undefined): WorkerFailed {
  return message ? new WorkerFailed(message) : new WorkerNotStarted('The browser did not start the worker.')
}
