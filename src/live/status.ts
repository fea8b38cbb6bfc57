import { type CoordinatorError, ERRORS, type ErrorCode } from '../errors.ts'

/**
 * - `memory`: serving, and nothing outlives the process.
 * - `connecting`: the database has not answered yet. `loading`: it has, and the records are on their way.
 * - `ready`: serving, and the database answers. `degraded`: serving what was loaded; the database does not answer.
 */
export type LiveState = 'memory' | 'connecting' | 'loading' | 'ready' | 'degraded'

export interface LiveStatus {
  readonly state: LiveState
  /** Since when, epoch milliseconds. */
  readonly since: number
  /** Why, where it is not as it should be. */
  readonly reason?: string
  /** The code of that, where it is an error of the database. */
  readonly code?: ErrorCode
  /** What those who run the coordinator can do about it. */
  readonly repair?: string
  readonly lastError?: LastError
}

export interface LastError {
  readonly code: ErrorCode
  readonly detail: string
  /** Epoch milliseconds. */
  readonly at: number
}

/**
 * What can fail on its own: the two ways to the database, as a full disk still reads; and the memory of this process, where
 * nothing more fits.
 */
export type Lane = 'read' | 'write' | 'memory'

type Phase = 'connecting' | 'loading' | 'serving'

/** Keeps what is known about the database, and tells when the state changes. */
export class StatusBoard {
  readonly #durable: boolean
  readonly #changed: (status: LiveStatus) => void
  readonly #faults = new Map<Lane, { readonly error: CoordinatorError; readonly since: number }>()
  #phase: Phase = 'connecting'
  #stale: string | undefined
  #lastError: LastError | undefined
  #status: LiveStatus

  constructor(durable: boolean, changed: (status: LiveStatus) => void) {
    this.#durable = durable
    this.#changed = changed
    this.#status = { state: 'connecting', since: Date.now() }
  }

  get status(): LiveStatus {
    return this.#status
  }

  get serving(): boolean {
    return this.#phase === 'serving'
  }

  /** The last error of a lane that fails now. */
  fault(lane: Lane): CoordinatorError | undefined {
    return this.#faults.get(lane)?.error
  }

  /** For how long a lane has been failing, in milliseconds; 0 while it works. */
  failingForMs(lane: Lane): number {
    const since = this.#faults.get(lane)?.since
    return since === undefined ? 0 : performance.now() - since
  }

  enter(phase: Phase): void {
    this.#phase = phase
    this.#update()
  }

  /** The view is being replaced: it is served, and may be wrong until then. */
  markStale(reason: string | undefined): void {
    if (reason === this.#stale) return
    this.#stale = reason
    this.#update()
  }

  failed(lane: Lane, error: CoordinatorError): void {
    this.#lastError = { code: error.code, detail: error.detail, at: Date.now() }
    this.#faults.set(lane, { error, since: this.#faults.get(lane)?.since ?? performance.now() })
    this.#update()
  }

  /** A lane works. The other one may still fail: each clears itself, or the state would flicker with every commit. */
  succeeded(lane: Lane): void {
    if (this.#faults.delete(lane)) this.#update()
  }

  #update(): void {
    const state = this.#state()
    const reason = this.#reason()
    const fault = this.#tellingFault()
    const same = state === this.#status.state && reason === this.#status.reason
    if (same && this.#lastError === this.#status.lastError) return
    this.#status = {
      state,
      since: state === this.#status.state ? this.#status.since : Date.now(),
      ...(reason === undefined ? {} : { reason }),
      ...(fault === undefined ? {} : { code: fault.code, repair: fault.repair }),
      ...(this.#lastError === undefined ? {} : { lastError: this.#lastError }),
    }
    if (!same) this.#changed(this.#status)
  }

  #state(): LiveState {
    if (this.#phase !== 'serving') return this.#phase
    if (this.#faults.size > 0 || this.#stale !== undefined) return 'degraded'
    return this.#durable ? 'ready' : 'memory'
  }

  /** What somebody has to mend says more than what may pass by itself. */
  #tellingFault(): CoordinatorError | undefined {
    const faults = [this.fault('memory'), this.fault('write'), this.fault('read')].filter(
      (fault) => fault !== undefined,
    )
    return faults.find(({ retryable }) => !retryable) ?? faults[0]
  }

  /** Where the two ways fail for different causes, both are told: the newer one may be what has to be mended. */
  #reason(): string | undefined {
    const write = textOf(this.#faults.get('write')?.error)
    const read = textOf(this.#faults.get('read')?.error)
    const memory = textOf(this.#faults.get('memory')?.error)
    if (memory !== undefined) return memory
    if (write === undefined || read === undefined || write === read) return write ?? read ?? this.#stale
    return `Writing: ${write} Reading: ${read}`
  }
}

function textOf(error: CoordinatorError | undefined): string | undefined {
  return error === undefined ? undefined : `${ERRORS[error.code].title}: ${error.detail}`
}
