import { RecordTable } from '../../live/view/record-table.ts'
import type { RecordKey, StoredRecord } from '../../records/record.ts'
import { dataOf } from '../model/lenient-json.ts'
import { GraphProjection } from './graph-projection.ts'

/** A graph with its own records, independent of any view: one of the past, or one that is derived again. */
export class DetachedGraph {
  readonly graph = new GraphProjection()
  readonly records = new RecordTable()

  /** Adds a record, or replaces its earlier version. */
  put(record: StoredRecord): void {
    this.graph.put(this.records.put(record), record, dataOf(record))
  }

  remove({ kind, id }: RecordKey): void {
    const slot = this.records.find(kind, id)
    if (slot === -1) return
    this.records.remove({ kind, id }, slot)
    this.graph.remove(slot)
  }
}
