import type { Entry, Position, Revision } from '../../records/record.ts'
import type { LiveObserver } from '../view/live-observer.ts'
import type { View } from '../view/view.ts'

export interface EntryRingOptions {
  /** How many entries are kept. @default 10_000 */
  readonly maxEntries?: number
  /** How much of their `data` is kept, in UTF-16 code units. @default 16_777_216 */
  readonly maxSize?: number
}

/** Gets calls about new entries, and about another view. Must not throw. */
export interface RingListener {
  grown?(): void
  /** Another view is served. In a new lineage, earlier entries no longer count. */
  replaced?(): void
}

/**
 * The newest entries of the journal in memory, so that many readers can follow without asking the store. It starts at the
 * position that the view had when the ring was made. Older entries come from the store.
 */
export class EntryRing implements LiveObserver {
  readonly #maxEntries: number
  readonly #maxSize: number
  readonly #listeners = new Set<RingListener>()
  /** The entries before the index `#first` were dropped. */
  #entries: (Entry | undefined)[] = []
  #first = 0
  #size = 0
  /** The history of the entries; `undefined` before the first load. */
  #lineage: string | undefined
  /** The revision before the first entry. */
  #before: Pick<Position, 'revision' | 'digest'> = { revision: 0, digest: '' }
  #scheduled = false

  constructor({ maxEntries = 10_000, maxSize = 16_777_216 }: EntryRingOptions = {}) {
    this.#maxEntries = maxEntries
    this.#maxSize = maxSize
  }

  /** The position before the first entry; `undefined` before the first load. */
  get base(): Position | undefined {
    return this.#at(this.#before)
  }

  /** The position of the newest entry. */
  get head(): Position | undefined {
    return this.#at(this.#entries.at(-1) ?? this.#before)
  }

  #at({ revision, digest }: Pick<Position, 'revision' | 'digest'>): Position | undefined {
    return this.#lineage === undefined ? undefined : { lineage: this.#lineage, revision, digest }
  }

  /** The entries after a revision, oldest first; `undefined` if some of them are no longer in memory. */
  after(revision: Revision, limit = Number.POSITIVE_INFINITY): readonly Entry[] | undefined {
    if (this.#lineage === undefined || revision < this.#before.revision) return undefined
    const from = this.#first + (revision - this.#before.revision)
    return this.#entries.slice(from, Math.min(from + limit, this.#entries.length)) as readonly Entry[]
  }

  /** The digest of a revision, if the ring knows it. */
  digestOf(revision: Revision): string | undefined {
    const after = revision - this.#before.revision
    if (this.#lineage === undefined || after < 0) return undefined
    return after === 0 ? this.#before.digest : this.#entries[this.#first + after - 1]?.digest
  }

  listen(listener: RingListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  entry(entry: Entry): void {
    if (this.#lineage === undefined) return
    this.#entries.push(entry)
    this.#size += sizeOfEntry(entry)
    while (this.#entries.length - this.#first > this.#maxEntries || this.#size > this.#maxSize)
      this.#forgetFirst()
    this.#tellSoon()
  }

  replaced(view: View): void {
    this.#entries = []
    this.#first = 0
    this.#size = 0
    this.#before = view.position
    this.#lineage = view.lineage
    for (const { replaced } of this.#listeners) replaced?.()
  }

  #forgetFirst(): void {
    const oldest = this.#entries[this.#first] as Entry
    this.#before = oldest
    this.#size -= sizeOfEntry(oldest)
    this.#entries[this.#first] = undefined
    this.#first += 1
    // To move all remaining entries for each one would cost more than the entries themselves.
    if (this.#first * 2 < this.#entries.length) return
    this.#entries = this.#entries.slice(this.#first)
    this.#first = 0
  }

  /** A batch brings many entries, and readers hear of them once. */
  #tellSoon(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      for (const { grown } of this.#listeners) grown?.()
    })
  }
}

/** The approximate size of an entry, in UTF-16 code units. */
export function sizeOfEntry({ writes }: Entry): number {
  return writes.reduce((sum, write) => sum + (write.op === 'put' ? write.data.length : 0), 200)
}
