/** Gives texts small numbers, from 0 on, for good: for sets that stay small, such as the types of edges. */
export class Names {
  readonly #numbers = new Map<string, number>()
  readonly #names: string[] = []

  numberOf(name: string): number {
    const known = this.#numbers.get(name)
    if (known !== undefined) return known
    const number = this.#names.length
    this.#numbers.set(name, number)
    this.#names.push(name)
    return number
  }

  /** The number of a name that has one already. */
  find(name: string): number | undefined {
    return this.#numbers.get(name)
  }

  nameOf(number: number): string {
    return this.#names[number] as string
  }

  get size(): number {
    return this.#names.length
  }

  get all(): readonly string[] {
    return this.#names
  }
}
