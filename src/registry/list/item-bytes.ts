import type { StoredRecord } from '../../records/record.ts'

/** An estimate of the bytes that an answer adds to the record of a service: ids, times, status. */
const SENT_BESIDE = 300
/** Parsing a record to choose some of its fields takes as long as sending this many times its size. */
const CHOOSING_COST = 4

/** How many bytes a service takes of the budget of a page. */
export function itemBytes({ data }: StoredRecord, fields: readonly string[] | undefined): number {
  return (Buffer.byteLength(data) + SENT_BESIDE) * (fields === undefined ? 1 : CHOOSING_COST)
}
