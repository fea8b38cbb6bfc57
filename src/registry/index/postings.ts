import { byNumber, type Compare, SortedList } from '../../collections/sorted-list.ts'

/** A term with this many numbers has a list of arrays instead of one array. */
const LIST_FROM = 512

/** The record numbers of the services that have something in common: a name, a tag, a version. */
export class Term {
  readonly text: string
  /** Most terms of a large registry have only a few services, and need no list. */
  #numbers: number | number[] | SortedList<number>
  /** Whether the array is sorted. It is sorted when somebody asks for the order, not at every registration. */
  #inOrder = true

  constructor(text: string, number: number) {
    this.text = text
    this.#numbers = number
  }

  get size(): number {
    if (typeof this.#numbers === 'number') return 1
    return Array.isArray(this.#numbers) ? this.#numbers.length : this.#numbers.size
  }

  /** The numbers in any order, in arrays that must not be changed. */
  get chunks(): readonly (readonly number[])[] {
    if (typeof this.#numbers === 'number') return [[this.#numbers]]
    return Array.isArray(this.#numbers) ? [this.#numbers] : this.#numbers.chunks
  }

  /** The numbers in order, in arrays that must not be changed. @param compare the same function as in `add` */
  ordered(compare: Compare<number>): readonly (readonly number[])[] {
    if (Array.isArray(this.#numbers) && !this.#inOrder) {
      this.#numbers.sort(compare)
      this.#inOrder = true
    }
    return this.chunks
  }

  has(number: number): boolean {
    if (typeof this.#numbers === 'number') return this.#numbers === number
    return Array.isArray(this.#numbers) ? this.#numbers.includes(number) : this.#numbers.has(number)
  }

  /** Adds a number. Does nothing if the same number was just added. */
  add(number: number, compare: Compare<number>): void {
    if (typeof this.#numbers === 'number') {
      if (this.#numbers === number) return
      this.#numbers = [this.#numbers, number]
      this.#inOrder = false
    } else if (Array.isArray(this.#numbers)) {
      if (this.#numbers.at(-1) === number) return
      this.#numbers.push(number)
      this.#inOrder = false
      if (this.#numbers.length >= LIST_FROM)
        this.#numbers = new SortedList(compare, this.#numbers.sort(compare))
    } else this.#numbers.add(number)
  }

  /** @returns whether no number is left */
  delete(number: number): boolean {
    if (typeof this.#numbers === 'number') return this.#numbers === number
    if (Array.isArray(this.#numbers)) {
      const at = this.#numbers.indexOf(number)
      if (at === -1) return false
      // Removing an item keeps the order of the others.
      this.#numbers.splice(at, 1)
    } else this.#numbers.delete(number)
    return this.size === 0
  }
}

/** The terms of one kind, by their text. */
export class Postings {
  readonly #terms = new Map<string, Term>()
  readonly #compare: Compare<number>

  /** @param compare the order of numbers within a term */
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

  /** The sorted numbers of a term; none if the term does not exist. */
  ordered(text: string): readonly (readonly number[])[] {
    return this.#terms.get(text)?.ordered(this.#compare) ?? []
  }

  /** @returns the term, with the text that all its numbers share */
  add(text: string, number: number): Term {
    let term = this.#terms.get(text)
    if (term === undefined) {
      term = new Term(text, number)
      this.#terms.set(text, term)
    } else term.add(number, this.#compare)
    return term
  }

  /** @returns whether the term is gone with it */
  delete(text: string, number: number): boolean {
    if (this.#terms.get(text)?.delete(number) !== true) return false
    return this.#terms.delete(text)
  }
}
