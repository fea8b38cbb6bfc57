/** The largest size of all items of a page, in bytes. At least one item always fits, because an item has about 1 MiB at most. */
export const PAGE_MAX_BYTES = 8 * 1024 * 1024

/** Counts the size of the items of a page. */
export class PageBudget {
  readonly #maxBytes: number
  #bytes = 0
  #items = 0

  constructor(maxBytes: number = PAGE_MAX_BYTES) {
    this.#maxBytes = maxBytes
  }

  /** Counts one more item if it fits. @returns `false` if the page ends before it */
  take(text: string): boolean {
    return this.takeBytes(Buffer.byteLength(text))
  }

  takeBytes(bytes: number): boolean {
    if (this.#items > 0 && this.#bytes + bytes > this.#maxBytes) return false
    this.#bytes += bytes
    this.#items += 1
    return true
  }
}
