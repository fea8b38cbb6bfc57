import type { Store } from '../database/store.ts'
import type { CoordinatorError } from '../errors.ts'
import { toCoordinatorError } from '../errors.ts'

/** What the watch needs from the rest of the live layer. */
export interface ClockWatchPort {
  readonly store: Store
  /** Time of the newest entry, epoch milliseconds; `undefined` while nothing is served. */
  at(): number | undefined
  /** How far that is ahead of the database's clock: at the start, and when it changes. */
  told(aheadMs: number): void
  failed(error: CoordinatorError): void
}

/** Less than this, in milliseconds, is no difference: clocks are never quite alike. */
const noticedMs = 1_000

/**
 * Notices where the times of the journal are ahead of the database's clock. They never decrease, so after a clock was wrong
 * once they stand still until it has caught up. The database is asked only where its times cannot be those of this machine.
 */
export class ClockWatch {
  readonly #port: ClockWatchPort
  #ahead = false
  /** Whether what was told last is that they are ahead. */
  #told = false
  #asking = false

  constructor(port: ClockWatchPort) {
    this.#port = port
  }

  /** An entry has arrived, or some time has passed. Costs nothing where all is as it was. */
  look(): void {
    const at = this.#port.at()
    if (at === undefined) return
    const ahead = at - Date.now() > noticedMs
    if (ahead === this.#ahead || this.#asking) return
    this.#ahead = ahead
    this.#asking = true
    void this.#ask(ahead).finally(() => {
      this.#asking = false
    })
  }

  async #ask(ahead: boolean): Promise<void> {
    const { store, told, failed } = this.#port
    try {
      const aheadMs = ahead ? (await store.inspector?.inspect())?.details['atAheadMs'] : 0
      // A clock of this machine that is behind is no matter of the journal.
      const counts = typeof aheadMs === 'number' && aheadMs > noticedMs
      if (counts || this.#told) told(counts ? aheadMs : 0)
      this.#told = counts
    } catch (thrown) {
      failed(toCoordinatorError(thrown, 'COORD_STORE_FAULT'))
    }
  }
}
