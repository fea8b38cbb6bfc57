import { examineStore } from '../../database/examine-store.ts'
import type { Damage, Store } from '../../database/store.ts'
import { CoordinatorError, toCoordinatorError } from '../../errors.ts'
import { pause } from '../../scheduling/backoff.ts'

export interface ExaminerOptions {
  /** How long after the first load the store is examined, in milliseconds. */
  readonly examineAfterMs: number
  /** How long after an examination the next one begins, with a jitter of a tenth, in milliseconds. */
  readonly examineIntervalMs: number
}

/** What the examiner needs from the rest of the live layer. */
export interface ExaminerPort {
  readonly store: Store
  /** The first damage that was found; `undefined` if everything agrees. */
  examined(damage: Damage | undefined): void
  failed(error: CoordinatorError): void
}

/** The part of the time in which an examination may use the database. Commits and followers come first. */
const share = 1 / 20
/** The shortest pause between two parts, in milliseconds. */
const shortestPauseMs = 20

/**
 * Compares head, journal and records in the background. It finds changes that bypassed the journal, and data that a disk lost, even if no
 * request reads them.
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
      // The public key of a project may not examine, and the follower reports faults of the connection.
      if (error.code !== 'COORD_STORE_ANON') this.#port.failed(error)
    }
  }

  async #letOthers(tookMs: number): Promise<void> {
    await pause(Math.max(shortestPauseMs, tookMs / share), this.#stop.signal)
    if (this.#stop.signal.aborted) throw new CoordinatorError('COORD_SHUTTING_DOWN')
  }
}
