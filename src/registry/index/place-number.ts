import { randomInt } from 'node:crypto'

/** Nobody can choose endpoints that share a number without knowing this. */
const seed = randomInt(2 ** 32)

/**
 * A number for a name and an endpoint that is the same for nearly every way to write the endpoint: case and slashes at the
 * end do not count. Different places may share it. Made for every record of a load, so it does not parse the URL.
 */
export function placeNumber(serviceName: string, endpoint: string): number {
  let end = endpoint.length
  while (end > 0 && endpoint.charCodeAt(end - 1) === SLASH) end -= 1
  let hash = seed | 0
  for (let at = 0; at < end; at += 1)
    hash = Math.imul(hash ^ (endpoint.charCodeAt(at) | LOWER_CASE), 0x01000193)
  for (let at = 0; at < serviceName.length; at += 1)
    hash = Math.imul(hash ^ serviceName.charCodeAt(at), 0x01000193)
  return hash
}

const SLASH = 0x2f
/** The bit in which ASCII letters differ by case; that it makes some other characters equal does no harm. */
const LOWER_CASE = 0x20
