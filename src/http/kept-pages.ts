import { SharedWork } from '../live/shared-work.ts'

/** What can be kept for others who ask for the same. */
interface Kept<T> {
  readonly page: SharedWork<T>
  /** Counts once the page is there. */
  size: number
}

/** Pages of the past that are kept for others who ask for the same, up to a number and a size of all together. */
export class KeptPages<T> {
  readonly #topic: string
  readonly #maxPages: number
  readonly #maxSize: number
  readonly #sizeOf: (page: T) => number
  /** The one that was read first at the beginning. */
  readonly #pages = new Map<string, Kept<T>>()
  #size = 0

  constructor(
    /** `topic`: of the questions that ask for them, see `SharedWork`. */
    limits: { readonly topic: string; readonly maxPages: number; readonly maxSize: number },
    sizeOf: (page: T) => number,
  ) {
    this.#topic = limits.topic
    this.#maxPages = limits.maxPages
    this.#maxSize = limits.maxSize
    this.#sizeOf = sizeOf
  }

  get(key: string, read: () => Promise<T>): Promise<T> {
    const known = this.#pages.get(key)
    if (known !== undefined && !known.page.isAbandoned) return known.page.join()
    if (known !== undefined) this.#forget(key, known)
    const kept: Kept<T> = { page: new SharedWork(this.#topic, read), size: 0 }
    this.#pages.set(key, kept)
    kept.page.result.then(
      (page) => this.#arrived(key, kept, this.#sizeOf(page)),
      () => this.#forget(key, kept),
    )
    this.#shorten()
    return kept.page.join()
  }

  #arrived(key: string, kept: Kept<T>, size: number): void {
    if (this.#pages.get(key) !== kept) return
    kept.size = size
    this.#size += size
    this.#shorten()
  }

  #shorten(): void {
    for (const [key, kept] of this.#pages) {
      if (this.#pages.size <= this.#maxPages && this.#size <= this.#maxSize) return
      this.#forget(key, kept)
    }
  }

  #forget(key: string, kept: Kept<T>): void {
    if (this.#pages.get(key) !== kept) return
    this.#pages.delete(key)
    this.#size -= kept.size
  }
}
