import { toCoordinatorError } from '../../errors.ts'
import type { LiveContext } from '../view/live-context.ts'
import type { ServedView } from '../view/served-view.ts'

/** A difference up to this is ignored, in milliseconds: two clocks never agree exactly. */
const noticedMs = 1_000

/**
 * Notices when the times of the journal are ahead of the clock of the database. Times never decrease: after the clock was ahead for a
 * while, they stand still until it has caught up. The watch asks the database only if the times differ from the clock of this machine.
 */
export class ClockWatch {
  readonly #context: LiveContext
  readonly #served: ServedView
  #ahead = false
  /** Whether the last report was that the times are ahead. */
  #told = false
  #asking = false

  constructor(context: LiveContext, served: ServedView) {
    this.#context = context
    this.#served = served
  }

  /** Call it when an entry has arrived, or some time has passed. It is cheap if nothing has changed. */
  look(): void {
    const at = this.#served.current?.at
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
    const { store, observers } = this.#context
    try {
      const aheadMs = ahead ? (await store.inspector?.inspect())?.details['atAheadMs'] : 0
      // If the database finds no such difference, only the clock of this machine is behind. That does not count.
      const counts = typeof aheadMs === 'number' && aheadMs > noticedMs
      if (counts || this.#told) observers.tell('clock', counts ? aheadMs : 0)
      this.#told = counts
    } catch (thrown) {
      observers.tell('backgroundFailure', 'clock', toCoordinatorError(thrown, 'COORD_STORE_FAULT'))
    }
  }
}
