import type { Problem } from '../errors.ts'
import { jsonPointer } from './check-json.ts'
import { LIMITS } from './limits.ts'

/** No integer of fewer digits is beyond what a number of JavaScript holds exactly. */
const longDigits = /\d{16}/
const integer = /^-?\d+$/
/** The largest number has 309 digits. */
const maxDigits = 310

/**
 * Integers of a JSON text that no double holds exactly: reading them would store another number than was sent. At most
 * `LIMITS.problems`.
 *
 * @param text JSON; what is nested more deeply than `LIMITS.depth` is left to whoever refuses that
 */
export function inexactIntegers(text: string): readonly Problem[] {
  // Nearly every body ends here, at the speed of a search in a text.
  return longDigits.test(text) ? new IntegerSearch(text).problems() : []
}

/** Walks through a JSON text, and knows where it is. */
class IntegerSearch {
  readonly #text: string
  readonly #path: (string | number)[] = []
  readonly #problems: Problem[] = []
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  problems(): readonly Problem[] {
    const text = this.#text
    while (this.#at < text.length && this.#problems.length < LIMITS.problems) {
      const character = text[this.#at] as string
      if (character === '"') this.#string()
      else if (character === '{' || character === '[') {
        if (this.#path.length >= LIMITS.depth) return []
        this.#path.push(character === '[' ? 0 : '')
        this.#at += 1
      } else if (character === '}' || character === ']') {
        this.#path.pop()
        this.#at += 1
      } else if (character === ',') {
        const place = this.#path.at(-1)
        if (typeof place === 'number') this.#path[this.#path.length - 1] = place + 1
        this.#at += 1
      } else if (character === '-' || (character >= '0' && character <= '9')) this.#number()
      else this.#at += 1
    }
    return this.#problems
  }

  #string(): void {
    const start = this.#at
    let end = start + 1
    while (this.#text[end] !== '"') end += this.#text[end] === '\\' ? 2 : 1
    this.#at = end + 1
    // Only a name is followed by a colon; a text that is a value leaves the path as it is.
    let next = this.#at
    while (/\s/.test(this.#text[next] ?? '')) next += 1
    if (this.#text[next] === ':')
      this.#path[this.#path.length - 1] = JSON.parse(this.#text.slice(start, end + 1)) as string
  }

  #number(): void {
    const start = this.#at
    let end = start + 1
    while (/[\d.eE+-]/.test(this.#text[end] ?? '')) end += 1
    this.#at = end
    if (end - start < 16) return
    const written = this.#text.slice(start, end)
    if (!integer.test(written) || isExact(written)) return
    this.#problems.push({
      path: jsonPointer(this.#path),
      message: 'is an integer that JSON numbers do not keep exactly',
      code: 'COORD_NUMBER_INEXACT',
    })
  }
}

function isExact(written: string): boolean {
  if (written.length > maxDigits) return false
  const value = Number(written)
  return Number.isSafeInteger(value) || (Number.isFinite(value) && BigInt(value) === BigInt(written))
}
