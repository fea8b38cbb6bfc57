import type { ServerResponse } from 'node:http'

/** The lowest speed of the client of a stream, in bytes a second. Only the time in which the stream waits for the client counts. */
const MIN_BYTES_PER_SECOND = 65_536

/**
 * Closes the connection of a client that reads less than 64 KiB a second of a stream over a minute. Only the time in which data waits for
 * the client counts, not the time in which the next piece is made.
 */
export class StreamPace {
  readonly #response: ServerResponse
  readonly #windowMs: number
  /** The rest of the time over which the speed is measured. */
  #leftMs: number
  #bytes = 0

  constructor(response: ServerResponse, windowMs: number) {
    this.#response = response
    this.#windowMs = windowMs
    this.#leftMs = windowMs
  }

  /** @param taken resolves when the client has taken the data, or is gone */
  async waitFor(taken: Promise<void>): Promise<void> {
    let started = performance.now()
    const judge = () => {
      this.#judge()
      started = performance.now()
      timer = setTimeout(judge, this.#leftMs)
    }
    let timer = setTimeout(judge, this.#leftMs)
    await taken
    clearTimeout(timer)
    this.#leftMs = Math.max(0, this.#leftMs - (performance.now() - started))
  }

  /** The client has taken more bytes. */
  took(bytes: number): void {
    this.#bytes += bytes
  }

  #judge(): void {
    if (this.#bytes < (MIN_BYTES_PER_SECOND * this.#windowMs) / 1_000) this.#response.destroy()
    this.#leftMs = this.#windowMs
    this.#bytes = 0
  }
}
