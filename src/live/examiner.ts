import { examineStore } from '../database/examine-store.ts'
import type { Damage, Store } from '../database/store.ts'
import { CoordinatorError, toCoordinatorError } from '../errors.ts'
import { pause } from './backoff.ts'

export interface ExaminerOptions {
  /** How long after the first load it is examined whether the store contradicts itself, in milliseconds. */
  readonly examineAfterMs: number
  /** The same after the last time, with a jitter of a tenth, in milliseconds. */
  readonly examineIntervalMs: number
}

/** What the examiner needs from the rest of the live layer. */
export interface ExaminerPort {
  readonly store: Store
  /** What was found, the first of it; `undefined` where all agrees. */
  examined(damage: Damage | undefined): void
  failed(error: CoordinatorError): void
}

/** The part of the time that an examination may have the database for: commits and followers go first. */
const share = 1 / 20
/** The shortest pause between two parts, in milliseconds. */
const shortestPauseMs = 20

/**
 * Compares head, journal and records in the background. What somebody changed behind the journal, or a disk lost, is told
 * then, also where no question meets it.
 */
export class Examiner {
  readonly #port: ExaminerPort
  readonly #options: ExaminerOptions
  readonly #stop = new AbortController()

  constructor(port: ExaminerPort, options: ExaminerOptions) {
    this.#port = port
    this.#options = options
  }

  start(): void {
    if (this.#port.store.inspector?.examine !== undefined) void this.#examineAgainAndAgain()
  }

  stop(): void {
    this.#stop.abort()
  }

  async #examineAgainAndAgain(): Promise<void> {
    const { examineAfterMs, examineIntervalMs } = this.#options
    for (let waitMs = examineAfterMs; ; waitMs = examineIntervalMs * (0.95 + Math.random() / 10)) {
      await pause(waitMs, this.#stop.signal)
      if (this.#stop.signal.aborted) return
      await this.#examine()
    }
  }

  async #examine(): Promise<void> {
    try {
      const found = await examineStore(this.#port.store.inspector, (tookMs) => this.#letOthers(tookMs))
      const [first] = found?.damages ?? []
      const more = (found?.count ?? 0) - 1
      this.#port.examined(
        first === undefined || more === 0
          ? first
          : { ...first, found: `${first.found} ${more} more: \`coordinator doctor\` names them.` },
      )
    } catch (thrown) {
      if (this.#stop.signal.aborted) return
      const error = toCoordinatorError(thrown, 'COORD_STORE_FAULT')
      // The public key of a project may not ask, and the follower meets what is wrong with the connection.
      if (error.code !== 'COORD_STORE_ANON') this.#port.failed(error)
    }
  }

  async #letOthers(tookMs: number): Promise<void> {
    await pause(Math.max(shortestPauseMs, tookMs / share), this.#stop.signal)
    if (this.#stop.signal.aborted) throw new CoordinatorError('COORD_SHUTTING_DOWN')
  }
}
