import type { LiveObservers } from './live-observer.ts'

/**
 * Tells the observers when the tokens have changed. Every head, and every reply to a question for changes, carries their version, even if
 * there are no entries.
 */
export class AccessWatch {
  readonly #observers: LiveObservers
  #told: string | undefined

  constructor(observers: LiveObservers) {
    this.#observers = observers
  }

  /** @param version the version in a reply of the store */
  seen(version: string): void {
    if (version === this.#told) return
    this.#told = version
    this.#observers.tell('access', version)
  }
}
