import { setImmediate as turn } from 'node:timers/promises'
import type { EntryRing } from '../../live/following/entry-ring.ts'

/** How many waiting requests are woken in one turn. Each of them makes and sends an answer at once, which takes about 50 us. */
const WOKEN_AT_ONCE = 50

/** Wakes the requests that wait for the next entry of the journal, a few in each turn of the event loop. */
export class WakeUps {
  readonly #sleepers = new Set<() => void>()
  #waking = false
  #again = false

  constructor(ring: EntryRing) {
    const wakeAll = () => void this.#wakeAll()
    ring.listen({ grown: wakeAll, replaced: wakeAll })
  }

  /** @param wake called once, when there is a new entry or another view is served. @returns a function that ends the wait */
  wait(wake: () => void): () => void {
    const sleeper = () => {
      this.#sleepers.delete(sleeper)
      wake()
    }
    this.#sleepers.add(sleeper)
    return () => this.#sleepers.delete(sleeper)
  }

  async #wakeAll(): Promise<void> {
    this.#again = true
    if (this.#waking) return
    this.#waking = true
    while (this.#again) {
      this.#again = false
      let woken = 0
      // A request that starts to wait again in the meantime has seen the new entry already.
      for (const wake of [...this.#sleepers]) {
        if (!this.#sleepers.has(wake)) continue
        wake()
        woken += 1
        if (woken % WOKEN_AT_ONCE === 0) await turn()
      }
    }
    this.#waking = false
  }
}
