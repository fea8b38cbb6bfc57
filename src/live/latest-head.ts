import type { Head } from '../database/store.ts'

/**
 * Asks the store for its head, one call at a time. Who asks while a call is on its way shares the next one: the present one
 * may have looked before the commit that they count on.
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
    // Where the present call fails the next one would as well, only later.
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
