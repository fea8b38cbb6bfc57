import type { StoredRecord } from '../records/record.ts'

/** About what is sent of a service beside its record: ids, times, status. */
const SENT_BESIDE = 300
/** Reading a record to choose some of its fields takes as long as sending so many times its size. */
const CHOOSING_COST = 4

/** What a service counts in the budget of a page, in bytes. */
export function itemBytes({ data }: StoredRecord, fields: readonly string[] | undefined): number {
  return (Buffer.byteLength(data) + SENT_BESIDE) * (fields === undefined ? 1 : CHOOSING_COST)
}
