import { byNumber, type Compare, SortedList } from './sorted-list.ts'

/** The slots of the services that have something in common: a name, a tag, a version. */
export class Term {
  readonly text: string
  /** Most terms of a large registry have one slot: that one needs no list. */
  #slots: number | SortedList<number>

  constructor(text: string, slot: number) {
    this.text = text
    this.#slots = slot
  }

  get size(): number {
    return typeof this.#slots === 'number' ? 1 : this.#slots.size
  }

  get chunks(): readonly (readonly number[])[] {
    return typeof this.#slots === 'number' ? [[this.#slots]] : this.#slots.chunks
  }

  has(slot: number): boolean {
    return typeof this.#slots === 'number' ? this.#slots === slot : this.#slots.has(slot)
  }

  add(slot: number, compare: Compare<number>): void {
    if (typeof this.#slots === 'number') {
      if (this.#slots === slot) return
      const list = new SortedList<number>(compare)
      list.add(this.#slots)
      this.#slots = list
    }
    this.#slots.add(slot)
  }

  /** @returns whether no slot is left */
  delete(slot: number): boolean {
    if (typeof this.#slots === 'number') return this.#slots === slot
    this.#slots.delete(slot)
    return this.#slots.size === 0
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
    if (this.#terms.get(text)?.delete(slot) !== true) return false
    return this.#terms.delete(text)
  }
}
