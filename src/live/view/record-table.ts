import type { RecordKey, StoredRecord } from '../../records/record.ts'

/** Read access to records. */
export type Records = Pick<RecordTable, 'numberEnd' | 'kinds' | 'find' | 'at' | 'get' | 'count' | 'of'>

/**
 * Records by number. A record keeps its **number** as long as it exists. When it is removed, another record gets the number. All other
 * data about records is in columns by number, so that there is only one map from ids: with a million records, such a map takes 40 MB, and
 * a lookup costs more than most of the work with its result.
 */
export class RecordTable {
  readonly #numbers = new Map<string, Map<string, number>>()
  readonly #records: (StoredRecord | undefined)[] = []
  readonly #free: number[] = []

  /** Every record number is below this. Some of them may be free. */
  get numberEnd(): number {
    return this.#records.length
  }

  /** Every kind that has had a record. */
  get kinds(): readonly string[] {
    return [...this.#numbers.keys()]
  }

  /** The number of a record; -1 if there is none. */
  find(kind: string, id: string): number {
    return this.#numbers.get(kind)?.get(id) ?? -1
  }

  get(kind: string, id: string): StoredRecord | undefined {
    const number = this.#numbers.get(kind)?.get(id)
    return number === undefined ? undefined : this.#records[number]
  }

  /** How many records a kind has. */
  count(kind: string): number {
    return this.#numbers.get(kind)?.size ?? 0
  }

  /** All records of a kind, in no particular order. */
  *of(kind: string): Generator<StoredRecord> {
    for (const number of this.#numbers.get(kind)?.values() ?? []) yield this.#records[number] as StoredRecord
  }

  /** The records by number, as they are now; `undefined` for a free number. A million take some milliseconds. */
  copy(): (StoredRecord | undefined)[] {
    return this.#records.slice()
  }

  /** The record with a number; `undefined` for a free number, or -1. */
  at(number: number): StoredRecord | undefined {
    return this.#records[number]
  }

  /**
   * Adds a record, or replaces its earlier version. Returns its number.
   *
   * @param known the result of `find`
   */
  put(record: StoredRecord, known = this.find(record.kind, record.id)): number {
    const number = known === -1 ? (this.#free.pop() ?? this.#records.length) : known
    if (known === -1) this.#numbersOf(record.kind).set(record.id, number)
    this.#records[number] = record
    return number
  }

  /** @param number the result of `find` */
  remove({ kind, id }: RecordKey, number: number): void {
    this.#numbers.get(kind)?.delete(id)
    this.#records[number] = undefined
    this.#free.push(number)
  }

  #numbersOf(kind: string): Map<string, number> {
    let numbers = this.#numbers.get(kind)
    if (numbers === undefined) {
      numbers = new Map()
      this.#numbers.set(kind, numbers)
    }
    return numbers
  }
}
