import { randomInt } from 'node:crypto'

/** Without knowing this number, nobody can choose endpoints with the same hash. */
const seed = randomInt(2 ** 32)
/** The largest number of services with the same hash that are found. More would make every search for the hash slow. */
const SAME_MAX = 1_000
const SLASH = 0x2f
/** The bit that tells small from capital ASCII letters. Setting it also makes some other characters equal, which does no harm. */
const LOWER_CASE = 0x20

/**
 * Finds services by their name and endpoint. It keeps a hash of both instead of the texts. Different services may have the same hash, so
 * the caller checks what is found.
 */
export class EndpointIndex {
  readonly #numbers = new Map<number, number | number[]>()

  /** Adds a record number, unless there are many with the same hash. */
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
 * A hash of a name and an endpoint. It ignores case, and slashes at the end, so that most forms of the same endpoint have one hash. It does
 * not parse the URL, because it is computed for every record of a load.
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
