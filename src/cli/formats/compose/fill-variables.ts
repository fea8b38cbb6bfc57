import type { JsonValue } from '../../../records/canonical-json.ts'
import { textOf } from '../reading/file-value.ts'
import { MEMBER_EFFORT, type ReadingBuilder } from '../reading/format-reading.ts'
import { someOf } from '../reading/make-metadata.ts'
import { interpolate, type Variables } from './interpolate.ts'

/** Fills in the variables of the texts of a file, and remembers those that have no value. */
export class VariableFiller {
  readonly #variables: Variables
  readonly #missing = new Map<string, ReadonlySet<string>>()
  /** The places where a missing variable made a difference. */
  readonly #needed = new Map<string, Set<string>>()

  readonly #reading: ReadingBuilder

  constructor(variables: Variables, reading: ReadingBuilder) {
    this.#variables = variables
    this.#reading = reading
  }

  /** @param where the place of the text, such as `services.web.image` */
  fill(value: JsonValue | undefined, where: string): string | undefined {
    const given = textOf(value)
    if (given === undefined) return undefined
    this.#reading.spend(MEMBER_EFFORT + given.length)
    const { text, missing } = interpolate(given, this.#variables)
    if (missing.size > 0) this.#missing.set(where, missing)
    return text
  }

  /** The value of a variable itself. */
  valueOf(variable: string): string | undefined {
    return Object.hasOwn(this.#variables, variable) ? this.#variables[variable] : undefined
  }

  /** Notes that the text of a place matters. @returns whether a variable in it has no value */
  isMissing(where: string): boolean {
    const missing = this.#missing.get(where) ?? []
    for (const variable of missing) {
      const places = this.#needed.get(variable) ?? new Set()
      this.#needed.set(variable, places.add(where))
    }
    return this.#missing.has(where)
  }

  report(): void {
    for (const [variable, places] of this.#needed)
      this.#reading.cannotKnow(someOf([...places]), `the variable ${variable} has no value and no default`)
  }
}
