import { clientOf } from '../text/client-of.ts'

export interface RateOptions {
  /** How many an address has at first, and at most. */
  readonly burst: number
  /** How many it gets back each second. */
  readonly perSecond: number
  /** How many addresses are remembered. @default 10_000 */
  readonly maxAddresses?: number
  /** The clock, in milliseconds. @default performance.now */
  readonly now?: () => number
}

interface Bucket {
  left: number
  at: number
}

/**
 * Limits how often each address may do something. IPv6 addresses of one network of 64 bits count as one. If there are too many addresses,
 * those that were quiet for the longest time start anew.
 */
export class RateByAddress {
  readonly #burst: number
  readonly #perSecond: number
  readonly #max: number
  readonly #now: () => number
  /** The address that was quiet for the longest time comes first. */
  readonly #buckets = new Map<string, Bucket>()

  constructor({ burst, perSecond, maxAddresses = 10_000, now = () => performance.now() }: RateOptions) {
    this.#burst = burst
    this.#perSecond = perSecond
    this.#max = maxAddresses
    this.#now = now
  }

  /** How many addresses are remembered. */
  get size(): number {
    return this.#buckets.size
  }

  /** Counts one. @returns whether the address had one left */
  spend(address: string): boolean {
    const client = clientOf(address)
    const bucket = this.#filled(client)
    this.#buckets.delete(client)
    this.#buckets.set(client, bucket)
    if (this.#buckets.size > this.#max) this.#forgetOldest()
    if (bucket.left < 1) return false
    bucket.left -= 1
    return true
  }

  /** Whether the address has none left. */
  isExhausted(address: string): boolean {
    return this.#filled(clientOf(address)).left < 1
  }

  /** How long it takes until the address has one again, in whole seconds. At least 1. */
  secondsLeft(address: string): number {
    return Math.max(1, Math.ceil((1 - this.#filled(clientOf(address)).left) / this.#perSecond))
  }

  #filled(client: string): Bucket {
    const now = this.#now()
    const bucket = this.#buckets.get(client)
    if (bucket === undefined) return { left: this.#burst, at: now }
    bucket.left = Math.min(this.#burst, bucket.left + ((now - bucket.at) / 1_000) * this.#perSecond)
    bucket.at = now
    return bucket
  }

  #forgetOldest(): void {
    for (const client of this.#buckets.keys()) {
      this.#buckets.delete(client)
      return
    }
  }
}
