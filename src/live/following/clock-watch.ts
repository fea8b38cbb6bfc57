import type { Store } from '../../database/store.ts'
import type { CoordinatorError } from '../../errors.ts'
import { toCoordinatorError } from '../../errors.ts'

/** What the watch needs from the rest of the live layer. */
export interface ClockWatchPort {
  readonly store: Store
  /** Time of the newest entry, epoch milliseconds; `undefined` while nothing is served. */
  at(): number | undefined
  /** How far the times are ahead of the database's clock: reported at the start, and when it changes. */
  told(aheadMs: number): void
  failed(error: CoordinatorError): void
}

/** Less than this, in milliseconds, is no difference: clocks are never quite alike. */
const noticedMs = 1_000

/**
 * Notices when the times of the journal are ahead of the database's clock. Times never decrease: after the clock was ahead for a while they
 * stand still until it has caught up. The watch asks the database only if the times differ from the clock of this machine.
 */
export class ClockWatch {
  readonly #port: ClockWatchPort
  #ahead = false
  /** Whether the last report was that the times are ahead. */
  #told = false
  #asking = false

  constructor(port: ClockWatchPort) {
    this.#port = port
  }

  /** An entry has arrived, or some time has passed. Cheap if nothing has changed. */
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
      // It does not matter here that the clock of this machine is behind.
      const counts = typeof aheadMs === 'number' && aheadMs > noticedMs
      if (counts || this.#told) told(counts ? aheadMs : 0)
      this.#told = counts
    } catch (thrown) {
      failed(toCoordinatorError(thrown, 'COORD_STORE_FAULT'))
    }
  }
}
