import { RecordTable } from '../../live/view/record-table.ts'
import type { JsonObject } from '../../records/canonical-json.ts'
import type { RecordKey, StoredRecord } from '../../records/record.ts'
import type { SimulatedChange } from '../simulate/simulate.ts'
import { GraphProjection } from './graph-projection.ts'

/** A graph over records of its own, apart from any view: one of the past, or one derived anew. */
export class DetachedGraph {
  readonly graph = new GraphProjection()
  readonly #records = new RecordTable()

  get(kind: string, id: string): StoredRecord | undefined {
    return this.#records.get(kind, id)
  }

  /** Adds a record, or puts it in the place of its earlier version. */
  put(record: StoredRecord): void {
    this.graph.put(this.#records.put(record), record, JSON.parse(record.data) as JsonObject)
  }

  /** The same changes of records, with the slots that they have, or would have, here. */
  placed(changes: readonly Omit<SimulatedChange, 'slot'>[]): readonly SimulatedChange[] {
    let next = this.#records.slotCount
    return changes.map(({ before, after }) => {
      const { kind, id } = (before ?? after) as StoredRecord
      const known = this.#records.find(kind, id)
      return { slot: known === -1 ? next++ : known, before, after }
    })
  }

  remove({ kind, id }: RecordKey): void {
    const slot = this.#records.find(kind, id)
    if (slot === -1) return
    this.#records.remove({ kind, id }, slot)
    this.graph.remove(slot)
  }
}
