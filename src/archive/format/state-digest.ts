import { createHash, hash } from 'node:crypto'
import type { StoredRecord } from '../../records/record.ts'
import { Pace } from '../../scheduling/pace.ts'
import { sortInSteps } from '../../scheduling/sort-in-steps.ts'
import { compareCodePoints } from '../../text/code-point-order.ts'

/** How much text is hashed at once, in UTF-16 code units. */
const CHUNK_LENGTH = 65_536

/**
 * The digest of all records at one revision: SHA-256 over a line `["kind","id",revision,"sha256 of the data"]` for each record, in order
 * of kind and id by code points. Two stores with the same digest have the same records, whatever their backends are.
 */
export class StateDigest {
  readonly #hash = createHash('sha256')
  #pending = ''
  #records = 0

  /** How many records were added. */
  get records(): number {
    return this.#records
  }

  /** Adds the next record in order. */
  add({ kind, id, revision, data }: Pick<StoredRecord, 'kind' | 'id' | 'revision' | 'data'>): void {
    this.addHashed({ kind, id, revision, hash: dataHash(data) })
  }

  /** Adds the next record in order, of whose data only the hash is known. */
  addHashed({ kind, id, revision, hash }: HashedRecord): void {
    this.#pending += `${JSON.stringify([kind, id, revision, hash])}\n`
    this.#records += 1
    if (this.#pending.length >= CHUNK_LENGTH) this.#flush()
  }

  /** 64 hexadecimal digits. Nothing can be added afterwards. */
  finish(): string {
    this.#flush()
    return this.#hash.digest('hex')
  }

  #flush(): void {
    this.#hash.update(this.#pending)
    this.#pending = ''
  }
}

/** A record of whose data only the hash is kept. */
export interface HashedRecord {
  readonly kind: string
  readonly id: string
  readonly revision: number
  /** SHA-256 of the canonical text, in 64 hexadecimal digits: see `dataHash`. */
  readonly hash: string
}

/** SHA-256 of canonical text, in 64 hexadecimal digits. */
export function dataHash(data: string): string {
  return hash('sha256', data, 'hex')
}

/**
 * The state digest of records that come in order. Gives others their turn.
 *
 * @param records sorted by kind, then id, by code points
 */
export async function stateDigestOf(records: AsyncIterable<readonly StoredRecord[]>): Promise<string> {
  const digest = new StateDigest()
  const pace = new Pace()
  for await (const page of records)
    for (const record of page) {
      digest.add(record)
      if (pace.due) await pace.turn()
    }
  return digest.finish()
}

/** The state digest of records in any order, with unique keys. Sorts them in steps, and gives others their turn. */
export async function stateDigestOfHashed(records: Iterable<HashedRecord>): Promise<string> {
  const digest = new StateDigest()
  const pace = new Pace()
  for (const record of sortInSteps(records, isBefore)) {
    if (record !== undefined) digest.addHashed(record)
    if (pace.due) await pace.turn()
  }
  return digest.finish()
}

function isBefore(left: HashedRecord, right: HashedRecord): boolean {
  return (compareCodePoints(left.kind, right.kind) || compareCodePoints(left.id, right.id)) < 0
}
