import { Worker } from 'node:worker_threads'
import { CoordinatorError, type WriteOutcome } from '../../errors.ts'
import { unpackError } from './packed-error.ts'
import type { Answer, Argument, Operation, Response, WorkerInput } from './protocol.ts'

/** Operations whose loss leaves open whether something was written. */
const writing: ReadonlySet<Operation> = new Set(['commit', 'fork', 'raiseFloor', 'sweep', 'migrate'])
/** Operations that may take as long as the file is large. */
const unbounded: ReadonlySet<Operation> = new Set(['open', 'migrate', 'verify'])

interface Pending {
  readonly operation: Operation
  readonly resolve: (answer: unknown) => void
  readonly reject: (error: CoordinatorError) => void
  readonly timer: NodeJS.Timeout | undefined
}

export interface WorkerLinkOptions {
  readonly input: WorkerInput
  /** How long a call may take, the calls before it included, in milliseconds. */
  readonly callTimeoutMs: number
  /** The thread has ended, in whatever way. */
  readonly onEnd: () => void
}

/**
 * Calls into the worker thread. The thread starts with the first call; where it ended unexpectedly, what was under way
 * fails, and the next call starts another one.
 */
export class WorkerLink {
  readonly #options: WorkerLinkOptions
  readonly #pending = new Map<number, Pending>()
  #worker: Worker | undefined
  /** Resolves at the end of the thread, with what ended it where that was a fault. */
  #ended: Promise<unknown> = Promise.resolve()
  #lastNumber = 0

  constructor(options: WorkerLinkOptions) {
    this.#options = options
  }

  /** Whether a thread runs now. */
  get running(): boolean {
    return this.#worker !== undefined
  }

  /** Calls that have no answer yet. */
  get depth(): number {
    return this.#pending.size
  }

  /** @throws CoordinatorError; with `outcome` for operations that write */
  call<O extends Operation>(operation: O, argument: Argument<O>): Promise<Answer<O>> {
    this.#lastNumber += 1
    const number = this.#lastNumber
    return new Promise<Answer<O>>((resolve, reject) => {
      const worker = this.#start()
      const timer = unbounded.has(operation) ? undefined : this.#deadline(number)
      this.#pending.set(number, { operation, resolve: resolve as Pending['resolve'], reject, timer })
      worker.postMessage({ number, operation, argument })
    })
  }

  /**
   * Lets the thread answer what is under way, close the file and end.
   *
   * @throws COORD_STORE_FAULT where the file could not be closed; what was acknowledged is on disk all the same
   */
  async close(): Promise<void> {
    if (this.#worker === undefined) return
    this.#worker.postMessage({ operation: 'close' })
    const cause = await this.#ended
    if (cause !== undefined)
      throw new CoordinatorError('COORD_STORE_FAULT', {
        detail: 'The database file could not be closed in order.',
        cause,
      })
  }

  #start(): Worker {
    if (this.#worker !== undefined) return this.#worker
    // Run from its source, this file is TypeScript; in the package it is JavaScript, and so is its neighbour.
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
    const worker = new Worker(new URL(`./worker.${extension}`, import.meta.url), {
      name: 'sqlite',
      workerData: this.#options.input,
    })
    this.#worker = worker
    worker.on('message', (response: Response) => this.#take(response))
    this.#ended = new Promise((resolve) => {
      let cause: unknown
      worker.on('error', (error) => {
        cause = error
      })
      worker.on('exit', () => {
        this.#worker = undefined
        this.#options.onEnd()
        this.#failAll(cause)
        resolve(cause)
      })
    })
    return worker
  }

  #take(response: Response): void {
    const pending = this.#settle(response.number)
    if (pending === undefined) return
    if ('error' in response) pending.reject(unpackError(response.error))
    else pending.resolve(response.answer)
  }

  #settle(number: number): Pending | undefined {
    const pending = this.#pending.get(number)
    this.#pending.delete(number)
    clearTimeout(pending?.timer)
    return pending
  }

  #deadline(number: number): NodeJS.Timeout {
    const { callTimeoutMs } = this.#options
    return setTimeout(() => {
      const pending = this.#settle(number)
      pending?.reject(
        new CoordinatorError('COORD_STORE_TIMEOUT', {
          detail: `SQLite did not answer within ${callTimeoutMs} ms.`,
          ...outcomeOf(pending.operation),
        }),
      )
    }, callTimeoutMs)
  }

  #failAll(cause: unknown): void {
    for (const number of [...this.#pending.keys()]) {
      const pending = this.#settle(number)
      pending?.reject(
        new CoordinatorError('COORD_STORE_FAULT', {
          detail:
            'The thread that owns the database file ended unexpectedly. The next call starts another one.',
          cause,
          ...outcomeOf(pending.operation),
        }),
      )
    }
  }
}

function outcomeOf(operation: Operation): { readonly outcome?: WriteOutcome } {
  return writing.has(operation) ? { outcome: 'unknown' } : {}
}
