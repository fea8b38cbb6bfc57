import { byNumber, type Compare, deleteSorted, hasSorted, insertSorted, SortedList } from './sorted-list.ts'

/** From how many slots on a term has a list of arrays instead of one array. */
const LIST_FROM = 512

/** The slots of the services that have something in common: a name, a tag, a version. */
export class Term {
  readonly text: string
  /** Most terms of a large registry have one slot or few: those need no list. */
  #slots: number | number[] | SortedList<number>

  constructor(text: string, slot: number) {
    this.text = text
    this.#slots = slot
  }

  get size(): number {
    if (typeof this.#slots === 'number') return 1
    return Array.isArray(this.#slots) ? this.#slots.length : this.#slots.size
  }

  /** The slots in their order, in arrays that must not be changed. */
  get chunks(): readonly (readonly number[])[] {
    if (typeof this.#slots === 'number') return [[this.#slots]]
    return Array.isArray(this.#slots) ? [this.#slots] : this.#slots.chunks
  }

  /** @param compare the order of the slots */
  has(slot: number, compare: Compare<number> = byNumber): boolean {
    if (typeof this.#slots === 'number') return this.#slots === slot
    return Array.isArray(this.#slots) ? hasSorted(this.#slots, slot, compare) : this.#slots.has(slot)
  }

  add(slot: number, compare: Compare<number>): void {
    if (typeof this.#slots === 'number') {
      if (this.#slots !== slot) this.#slots = [this.#slots, slot].sort(compare)
    } else if (Array.isArray(this.#slots)) {
      insertSorted(this.#slots, slot, compare)
      if (this.#slots.length >= LIST_FROM) this.#slots = new SortedList(compare, this.#slots)
    } else this.#slots.add(slot)
  }

  /** @returns whether no slot is left */
  delete(slot: number, compare: Compare<number>): boolean {
    if (typeof this.#slots === 'number') return this.#slots === slot
    if (Array.isArray(this.#slots)) deleteSorted(this.#slots, slot, compare)
    else this.#slots.delete(slot)
    return this.size === 0
  }
}

/** The terms of one kind, by their text. */
export class Postings {
  readonly #terms = new Map<string, Term>()
  readonly #compare: Compare<number>

  /** @param compare the order of slots within a term */
  constructor(compare: Compare<number> = byNumber) {
    this.#compare = compare
  }

  get size(): number {
    return this.#terms.size
  }

  get(text: string): Term | undefined {
    return this.#terms.get(text)
  }

  terms(): IterableIterator<Term> {
    return this.#terms.values()
  }

  /** @returns the term, with the text that all its slots share */
  add(text: string, slot: number): Term {
    let term = this.#terms.get(text)
    if (term === undefined) {
      term = new Term(text, slot)
      this.#terms.set(text, term)
    } else term.add(slot, this.#compare)
    return term
  }

  /** @returns whether the term is gone with it */
  delete(text: string, slot: number): boolean {
    if (this.#terms.get(text)?.delete(slot, this.#compare) !== true) return false
    return this.#terms.delete(text)
  }
}
