import { PAGE_MAX_BYTES } from '../../live/questions/page-budget.ts'
import { compareKeys, type SortKey } from './select-page.ts'

/** An item that a page may hold. The items arrive in no particular order. */
export interface PastItem extends SortKey {
  readonly bytes: number
}

/**
 * Finds the items of the first page of a list, limited by number and size. It holds little more than one page in memory, however many items
 * arrive and however large they are.
 */
export class PastPage<T extends PastItem> {
  readonly #count: number
  readonly #maxBytes: number
  #items: T[] = []
  #bytes = 0
  /** No item after this one belongs to the page. */
  #last: T | undefined
  #more = false

  /** @param count the largest number of items, at least 1 */
  constructor(count: number, maxBytes: number = PAGE_MAX_BYTES) {
    this.#count = count
    this.#maxBytes = maxBytes
  }

  offer(item: T): void {
    if (this.#last !== undefined && compareKeys(item, this.#last) > 0) return
    this.#items.push(item)
    this.#bytes += item.bytes
    if (this.#items.length > 2 * this.#count || this.#bytes > 2 * this.#maxBytes) this.#prune()
  }

  /** The sorted page, and whether the list continues after it. */
  result(): { readonly items: readonly T[]; readonly more: boolean } {
    this.#prune()
    return { items: this.#items, more: this.#more }
  }

  #prune(): void {
    this.#items.sort(compareKeys)
    let [kept, bytes] = [0, 0]
    for (const item of this.#items) {
      if (kept === this.#count || (kept > 0 && bytes + item.bytes > this.#maxBytes)) break
      kept += 1
      bytes += item.bytes
    }
    if (kept < this.#items.length) {
      this.#more = true
      this.#items.length = kept
      this.#last = this.#items.at(-1)
    }
    this.#bytes = bytes
  }
}
