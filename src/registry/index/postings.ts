import { byNumber, type Compare, SortedList } from './sorted-list.ts'

/** From how many slots on a term has a list of arrays instead of one array. */
const LIST_FROM = 512

/** The slots of the services that have something in common: a name, a tag, a version. */
export class Term {
  readonly text: string
  /** Most terms of a large registry have only a few services, and need no list. */
  #slots: number | number[] | SortedList<number>
  /** Whether the array is sorted. It is sorted when somebody asks for the order, not at every registration. */
  #inOrder = true

  constructor(text: string, slot: number) {
    this.text = text
    this.#slots = slot
  }

  get size(): number {
    if (typeof this.#slots === 'number') return 1
    return Array.isArray(this.#slots) ? this.#slots.length : this.#slots.size
  }

  /** The slots in any order, in arrays that must not be changed. */
  get chunks(): readonly (readonly number[])[] {
    if (typeof this.#slots === 'number') return [[this.#slots]]
    return Array.isArray(this.#slots) ? [this.#slots] : this.#slots.chunks
  }

  /** The slots in order, in arrays that must not be changed. @param compare the one that they were added with */
  ordered(compare: Compare<number>): readonly (readonly number[])[] {
    if (Array.isArray(this.#slots) && !this.#inOrder) {
      this.#slots.sort(compare)
      this.#inOrder = true
    }
    return this.chunks
  }

  has(slot: number): boolean {
    if (typeof this.#slots === 'number') return this.#slots === slot
    return Array.isArray(this.#slots) ? this.#slots.includes(slot) : this.#slots.has(slot)
  }

  /** Adds a slot. One that was added just before is there already. */
  add(slot: number, compare: Compare<number>): void {
    if (typeof this.#slots === 'number') {
      if (this.#slots === slot) return
      this.#slots = [this.#slots, slot]
      this.#inOrder = false
    } else if (Array.isArray(this.#slots)) {
      if (this.#slots.at(-1) === slot) return
      this.#slots.push(slot)
      this.#inOrder = false
      if (this.#slots.length >= LIST_FROM) this.#slots = new SortedList(compare, this.#slots.sort(compare))
    } else this.#slots.add(slot)
  }

  /** @returns whether no slot is left */
  delete(slot: number): boolean {
    if (typeof this.#slots === 'number') return this.#slots === slot
    if (Array.isArray(this.#slots)) {
      const at = this.#slots.indexOf(slot)
      if (at === -1) return false
      // Removing an item keeps the order of the others.
      this.#slots.splice(at, 1)
    } else this.#slots.delete(slot)
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

  /** The slots of a term in order; none where there is no such term. */
  ordered(text: string): readonly (readonly number[])[] {
    return this.#terms.get(text)?.ordered(this.#compare) ?? []
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
    if (this.#terms.get(text)?.delete(slot) !== true) return false
    return this.#terms.delete(text)
  }
}
