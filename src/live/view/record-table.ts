import type { RecordKey, StoredRecord } from '../../records/record.ts'

/** Read access to records. */
export type Records = Pick<RecordTable, 'slotCount' | 'kinds' | 'find' | 'get' | 'count' | 'of'>

/**
 * Records by number. A record keeps its **slot** as long as it is there, whatever it holds; the slot of one that went away is
 * given to another one. What is kept about records elsewhere is kept in columns by slot, so that one map from ids serves
 * all: of a million records each such map takes 40 MB, and a look into it costs more than most of what follows.
 */
export class RecordTable {
  readonly #slots = new Map<string, Map<string, number>>()
  readonly #records: (StoredRecord | undefined)[] = []
  readonly #free: number[] = []

  /** Every slot is below this; some of them may be empty. */
  get slotCount(): number {
    return this.#records.length
  }

  /** Every kind that has had a record. */
  get kinds(): readonly string[] {
    return [...this.#slots.keys()]
  }

  /** The slot of a record; -1 if there is none. */
  find(kind: string, id: string): number {
    return this.#slots.get(kind)?.get(id) ?? -1
  }

  get(kind: string, id: string): StoredRecord | undefined {
    const slot = this.#slots.get(kind)?.get(id)
    return slot === undefined ? undefined : this.#records[slot]
  }

  /** How many records a kind has. */
  count(kind: string): number {
    return this.#slots.get(kind)?.size ?? 0
  }

  /** All records of a kind, in no particular order. */
  *of(kind: string): Generator<StoredRecord> {
    for (const slot of this.#slots.get(kind)?.values() ?? []) yield this.#records[slot] as StoredRecord
  }

  /** The record in a slot; `undefined` where that is empty, or -1. */
  at(slot: number): StoredRecord | undefined {
    return this.#records[slot]
  }

  /**
   * Adds a record, or replaces its earlier version. Returns its slot.
   *
   * @param known what `find` says of it
   */
  put(record: StoredRecord, known = this.find(record.kind, record.id)): number {
    const slot = known === -1 ? (this.#free.pop() ?? this.#records.length) : known
    if (known === -1) this.#slotsOf(record.kind).set(record.id, slot)
    this.#records[slot] = record
    return slot
  }

  /** @param slot what `find` says of the record */
  remove({ kind, id }: RecordKey, slot: number): void {
    this.#slots.get(kind)?.delete(id)
    this.#records[slot] = undefined
    this.#free.push(slot)
  }

  #slotsOf(kind: string): Map<string, number> {
    let slots = this.#slots.get(kind)
    if (slots === undefined) {
      slots = new Map()
      this.#slots.set(kind, slots)
    }
    return slots
  }
}
