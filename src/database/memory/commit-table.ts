import { randomInt } from 'node:crypto'

/** Without knowing this number, nobody can choose ids with the same hash. */
const seed = randomInt(2 ** 32)
/** Where the hash begins. The first digits of an id are the time. */
const HASHED_FROM = 14

interface OfCommit {
  readonly entry: { readonly commitId: string }
}

/**
 * What belongs to each commit, by its id. It keeps a hash of the id: nearly every id is new, and a map of texts would read old ids, which
 * are no longer in any cache of the processor, only to compare them.
 */
export class CommitTable<T extends OfCommit> {
  readonly #byHash = new Map<number, T | T[]>()
  readonly #hash: (commitId: string) => number

  /** @param hash may give the same number for different ids */
  constructor(hash: (commitId: string) => number = hashOf) {
    this.#hash = hash
  }

  get(commitId: string): T | undefined {
    const found = this.#byHash.get(this.#hash(commitId))
    if (found === undefined) return undefined
    return listed(found).find(({ entry }) => entry.commitId === commitId)
  }

  /** Adds an item, or replaces the one with the same id. */
  add(item: T): void {
    const hash = this.#hash(item.entry.commitId)
    const found = this.#byHash.get(hash)
    this.#byHash.set(hash, found === undefined ? item : [...others(found, item.entry.commitId), item])
  }

  /** Removes an item, unless another one with the same id has replaced it. */
  delete(item: T): void {
    const hash = this.#hash(item.entry.commitId)
    const found = this.#byHash.get(hash)
    if (found === undefined) return
    const left = listed(found).filter((one) => one !== item)
    if (left.length === 0) this.#byHash.delete(hash)
    else this.#byHash.set(hash, left)
  }

  clear(): void {
    this.#byHash.clear()
  }
}

function listed<T>(found: T | T[]): readonly T[] {
  return Array.isArray(found) ? found : [found]
}

function others<T extends OfCommit>(found: T | T[], commitId: string): readonly T[] {
  return listed(found).filter(({ entry }) => entry.commitId !== commitId)
}

function hashOf(commitId: string): number {
  let hash = seed | 0
  for (let at = HASHED_FROM; at < commitId.length; at += 1)
    hash = Math.imul(hash ^ commitId.charCodeAt(at), 0x01000193)
  return hash
}
