import type { Head } from '../../database/store.ts'

/**
 * Asks the store for its head, one call at a time. Callers that come during a call share the next one, because the present call may
 * have read the head before the commit that they expect to see.
 */
export class LatestHead {
  readonly #ask: () => Promise<Head>
  #underWay: Promise<Head> | undefined
  #next: Promise<Head> | undefined

  constructor(ask: () => Promise<Head>) {
    this.#ask = ask
  }

  ask(): Promise<Head> {
    if (this.#underWay === undefined) return this.#start()
    // If the present call fails, the next one would fail too, only later.
    this.#next ??= this.#underWay
      .finally(() => {
        this.#next = undefined
      })
      .then(() => this.#start())
    return this.#next
  }

  #start(): Promise<Head> {
    this.#underWay = this.#ask().finally(() => {
      this.#underWay = undefined
    })
    return this.#underWay
  }
}
