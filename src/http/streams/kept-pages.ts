import { SharedWork } from '../../live/questions/shared-work.ts'

/** A page that can be kept for other clients with the same question. */
interface Kept<T> {
  readonly page: SharedWork<T>
  /** The size of the page; 0 until it has arrived. */
  size: number
}

/** Keeps pages of the past for other clients with the same question, up to a number of pages and a total size. */
export class KeptPages<T> {
  readonly #topic: string
  readonly #maxPages: number
  readonly #maxSize: number
  readonly #sizeOf: (page: T) => number
  /** The page that was not read for longest comes first. */
  readonly #pages = new Map<string, Kept<T>>()
  #size = 0

  constructor(
    /** `topic`: the kind of question that needs the pages, see `SharedWork`. */
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
