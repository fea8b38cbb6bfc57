import { randomInt } from 'node:crypto'

/** Nobody can choose endpoints that share a hash without knowing this. */
const seed = randomInt(2 ** 32)
/** So many services with one number are found; more of them would make every search for it long. */
const SAME_MAX = 1_000
const SLASH = 0x2f
/** The bit in which ASCII letters differ by case; that it makes some other characters equal does no harm. */
const LOWER_CASE = 0x20

/**
 * Finds services by their name and endpoint. It keeps a hash of both instead of the texts. Different services may share a
 * hash, so the caller looks at what is found.
 */
export class EndpointIndex {
  readonly #numbers = new Map<number, number | number[]>()

  /** Adds a record number, unless many with its hash are there. */
  add(hash: number, number: number): void {
    const known = this.#numbers.get(hash)
    if (known === undefined) this.#numbers.set(hash, number)
    else if (typeof known === 'number') this.#numbers.set(hash, [known, number])
    else if (known.length < SAME_MAX) known.push(number)
  }

  /** Removes a record number, if it is in the index. */
  delete(hash: number, number: number): void {
    const known = this.#numbers.get(hash)
    if (known === number) this.#numbers.delete(hash)
    if (!Array.isArray(known)) return
    const at = known.indexOf(number)
    if (at === -1) return
    known.splice(at, 1)
    if (known.length === 0) this.#numbers.delete(hash)
  }

  find(hash: number): readonly number[] {
    const known = this.#numbers.get(hash) ?? []
    return typeof known === 'number' ? [known] : known
  }
}

/**
 * A hash of a name and an endpoint. It is the same for nearly every way to write the endpoint: case and slashes at the end do not
 * count. It is made for every record of a load, so it does not parse the URL.
 */
export function endpointHash(serviceName: string, endpoint: string): number {
  let end = endpoint.length
  while (end > 0 && endpoint.charCodeAt(end - 1) === SLASH) end -= 1
  let hash = seed | 0
  for (let at = 0; at < end; at += 1)
    hash = Math.imul(hash ^ (endpoint.charCodeAt(at) | LOWER_CASE), 0x01000193)
  for (let at = 0; at < serviceName.length; at += 1)
    hash = Math.imul(hash ^ serviceName.charCodeAt(at), 0x01000193)
  return hash
}
