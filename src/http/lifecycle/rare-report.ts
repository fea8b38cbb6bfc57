import type { Logger } from '../../telemetry/logging.ts'

/** How long nothing is logged after a message, in milliseconds. */
const quietMs = 10_000

/** Logs a message at most once in a while, with the number of its occurrences since then. */
export class RareReport {
  readonly #log: Logger
  #saidAt = Number.NEGATIVE_INFINITY
  #times = 0

  constructor(log: Logger) {
    this.#log = log
  }

  say(members: object, message: string): void {
    this.#times += 1
    const now = performance.now()
    if (now - this.#saidAt < quietMs) return
    this.#log.warn({ ...members, times: this.#times }, message)
    this.#saidAt = now
    this.#times = 0
  }
}
