import type { EntryWrite, StoredRecord } from '../records/record.ts'

/**
 * What a record takes beside its text: what the view, the index and the graph keep of it. A million services of 400 bytes take
 * about 1.3 GB.
 */
const bytesPerRecord = 1_024
/** Texts with a character beyond U+00FF take two bytes a unit; and what a text says is kept in part. */
const bytesPerUnit = 2

/** About what is kept of some writes or records, in bytes: rather more than less. */
export function keptBytes(writes: readonly (EntryWrite | StoredRecord)[]): number {
  let bytes = 0
  for (const write of writes) if ('data' in write) bytes += write.data.length * bytesPerUnit + bytesPerRecord
  return bytes
}
