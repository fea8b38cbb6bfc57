import type { Entry, RecordKey, StoredRecord } from '../../records/record.ts'
import { Pace } from '../../scheduling/pace.ts'
import { dataHash, type HashedRecord, stateDigestOfHashed } from '../format/state-digest.ts'

/** The records of a history at one revision. Of each, only the key, the revision and the hash of its data are kept. */
export class RestoredState {
  readonly #kinds = new Map<string, Map<string, HashedRecord>>()

  get size(): number {
    let size = 0
    for (const records of this.#kinds.values()) size += records.size
    return size
  }

  /** Adds records of a base. Gives others their turn. */
  async add(records: readonly StoredRecord[]): Promise<void> {
    const pace = new Pace()
    for (const { kind, id, revision, data } of records) {
      this.#put({ kind, id, revision, hash: dataHash(data) })
      if (pace.due) await pace.turn()
    }
  }

  /** Applies the next entries. Gives others their turn. */
  async apply(entries: readonly Entry[]): Promise<void> {
    const pace = new Pace()
    for (const { revision, writes } of entries) {
      for (const write of writes)
        if (write.op === 'delete') this.#delete(write)
        else this.#put({ kind: write.kind, id: write.id, revision, hash: dataHash(write.data) })
      if (pace.due) await pace.turn()
    }
  }

  /** The state digest: see `StateDigest`. Gives others their turn. */
  digest(): Promise<string> {
    return stateDigestOfHashed(this.#records())
  }

  *#records(): Generator<HashedRecord> {
    for (const records of this.#kinds.values()) yield* records.values()
  }

  #put(record: HashedRecord): void {
    const records = this.#kinds.get(record.kind)
    if (records === undefined) this.#kinds.set(record.kind, new Map([[record.id, record]]))
    else records.set(record.id, record)
  }

  #delete({ kind, id }: RecordKey): void {
    this.#kinds.get(kind)?.delete(id)
  }
}
