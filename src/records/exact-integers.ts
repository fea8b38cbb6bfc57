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
      const code = text.charCodeAt(this.#at)
      if (isOfNumber(code)) {
        this.#number()
        continue
      }
      switch (code) {
        case 0x22: // "
          this.#string()
          continue
        case 0x7b: // {
        case 0x5b: // [
          if (this.#path.length >= LIMITS.depth) return []
          this.#path.push(code === 0x5b ? 0 : '')
          break
        case 0x7d: // }
        case 0x5d: // ]
          this.#path.pop()
          break
        case 0x2c: // ,
          this.#nextItem()
          break
        default:
          // The letters of `true`, `false` and `null`, of which `e` would be taken for a part of a number, too.
          if (code >= 0x61 && code <= 0x7a) this.#word()
      }
      this.#at += 1
    }
    return this.#problems
  }

  #nextItem(): void {
    const last = this.#path.length - 1
    const place = this.#path[last]
    if (typeof place === 'number') this.#path[last] = place + 1
  }

  #word(): void {
    let code = this.#text.charCodeAt(this.#at + 1)
    while (code >= 0x61 && code <= 0x7a) {
      this.#at += 1
      code = this.#text.charCodeAt(this.#at + 1)
    }
  }

  #string(): void {
    const start = this.#at
    let end = start + 1
    let code = this.#text.charCodeAt(end)
    while (code !== 0x22) {
      end += code === 0x5c ? 2 : 1
      code = this.#text.charCodeAt(end)
    }
    this.#at = end + 1
    // Only a name is followed by a colon; a text that is a value leaves the path as it is.
    let next = this.#at
    while (this.#text.charCodeAt(next) <= 0x20) next += 1
    if (this.#text.charCodeAt(next) === 0x3a)
      this.#path[this.#path.length - 1] = JSON.parse(this.#text.slice(start, end + 1)) as string
  }

  #number(): void {
    const start = this.#at
    let end = start + 1
    while (isOfNumber(this.#text.charCodeAt(end))) end += 1
    this.#at = end
    if (end - start < 16) return
    const written = this.#text.slice(start, end)
    if (!integer.test(written) || isKept(written)) return
    this.#problems.push({
      path: jsonPointer(this.#path),
      message: 'is an integer that JSON numbers do not keep exactly',
      code: 'COORD_NUMBER_INEXACT',
    })
  }
}

/** Digits, signs, the point and the letter of the exponent. */
function isOfNumber(code: number): boolean {
  return (
    (code >= 0x30 && code <= 0x39) ||
    code === 0x2d ||
    code === 0x2b ||
    code === 0x2e ||
    code === 0x65 ||
    code === 0x45
  )
}

function isKept(written: string): boolean {
  if (written.length > maxDigits) return false
  const value = Number(written)
  // What a program writes of a double of its own is read as the same double, and written the same again.
  if (Number.isSafeInteger(value) || String(value) === written) return true
  return Number.isFinite(value) && BigInt(value) === BigInt(written)
}
