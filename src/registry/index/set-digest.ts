import { HEALTHS, type Health } from '../../records/health.ts'

/**
 * A digest of a set of services with their versions: the sum of one number for each, so it does not depend on their order. Two different
 * sets have the same digest with a probability of 1 in 2^64.
 */
export interface SetDigest {
  readonly high: number
  readonly low: number
}

export const emptyDigest: SetDigest = { high: 0, low: 0 }

export function addDigest(left: SetDigest, right: SetDigest): SetDigest {
  return { high: (left.high + right.high) | 0, low: (left.low + right.low) | 0 }
}

/** The 64-bit number of one version of one service. */
export function versionDigest(id: string, revision: number): SetDigest {
  let high = 0x811c9dc5
  let low = 0x2545f491
  for (let at = 0; at < id.length; at += 1) {
    const unit = id.charCodeAt(at)
    high = Math.imul(high ^ unit, 0x01000193)
    low = Math.imul(low ^ unit, 0x5bd1e995)
  }
  const upper = Math.floor(revision / 2 ** 32)
  return { high: mixed(high, revision | 0, upper), low: mixed(low, upper, revision | 0) }
}

/** Spreads every bit of the input over the result, so that the numbers of neighboring revisions do not cancel out in a sum. */
function mixed(seed: number, first: number, second: number): number {
  let bits = seed ^ Math.imul(first, 0x9e3779b1)
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b) ^ Math.imul(second, 0xc2b2ae3d)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  bits ^= Math.imul(first + 0x165667b1, 0x27d4eb2f)
  bits = Math.imul(bits ^ (bits >>> 15), 0x2c1b3c6d)
  return (bits ^ (bits >>> 16)) | 0
}

/**
 * The health of a listed service, as a part of the digest of a list. `unknown` adds nothing to the digest: most services send no
 * heartbeats, and in answers about the past the health of every service is unknown.
 *
 * @param version the digest of the service and its version
 */
export function healthDigest({ high, low }: SetDigest, health: Health): SetDigest {
  if (health === 'unknown') return emptyDigest
  const which = HEALTHS.indexOf(health)
  return { high: mixed(high, which, low), low: mixed(low, which, high) }
}
