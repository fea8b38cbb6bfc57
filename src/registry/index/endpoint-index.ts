import { randomInt } from 'node:crypto'

/** Nobody can choose endpoints that share a number without knowing this. */
const seed = randomInt(2 ** 32)
/** So many services with one number are found; more of them would make every search for it long. */
const SAME_MAX = 1_000
const SLASH = 0x2f
/** The bit in which ASCII letters differ by case; that it makes some other characters equal does no harm. */
const LOWER_CASE = 0x20

/**
 * Finds services by their name and endpoint. It keeps a number that is made of both instead of the texts. Different services may share
 * a number, so the caller looks at what is found.
 */
export class EndpointIndex {
  readonly #slots = new Map<number, number | number[]>()

  /** Adds a slot, unless many with its number are there. */
  add(number: number, slot: number): void {
    const known = this.#slots.get(number)
    if (known === undefined) this.#slots.set(number, slot)
    else if (typeof known === 'number') this.#slots.set(number, [known, slot])
    else if (known.length < SAME_MAX) known.push(slot)
  }

  /** Removes a slot, if it is in the index. */
  delete(number: number, slot: number): void {
    const known = this.#slots.get(number)
    if (known === slot) this.#slots.delete(number)
    if (!Array.isArray(known)) return
    const at = known.indexOf(slot)
    if (at === -1) return
    known.splice(at, 1)
    if (known.length === 0) this.#slots.delete(number)
  }

  find(number: number): readonly number[] {
    const known = this.#slots.get(number) ?? []
    return typeof known === 'number' ? [known] : known
  }
}

/**
 * A number for a name and an endpoint. It is the same for nearly every way to write the endpoint: case and slashes at the end do not
 * count. It is made for every record of a load, so it does not parse the URL.
 */
export function endpointNumber(serviceName: string, endpoint: string): number {
  let end = endpoint.length
  while (end > 0 && endpoint.charCodeAt(end - 1) === SLASH) end -= 1
  let hash = seed | 0
  for (let at = 0; at < end; at += 1)
    hash = Math.imul(hash ^ (endpoint.charCodeAt(at) | LOWER_CASE), 0x01000193)
  for (let at = 0; at < serviceName.length; at += 1)
    hash = Math.imul(hash ^ serviceName.charCodeAt(at), 0x01000193)
  return hash
}
