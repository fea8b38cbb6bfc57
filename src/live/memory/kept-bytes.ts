import type { EntryWrite, StoredRecord } from '../../records/record.ts'

/**
 * How many bytes the view, the index and the graph keep for a record in addition to its text. A million services of 400 bytes take about
 * 1.3 GB.
 */
const bytesPerRecord = 1_024
/**
 * Bytes for each code unit of a text. A text with a character beyond U+00FF takes two bytes each, and parts of the parsed text are kept,
 * too.
 */
const bytesPerUnit = 2

/**
 * An estimate of the bytes that some writes or records will take. It is rather too high than too low, except for dependencies on names that
 * nobody has registered: the graph takes about 160 bytes more for each of them (measured in November 2026).
 */
export function keptBytes(writes: readonly (EntryWrite | StoredRecord)[]): number {
  let bytes = 0
  for (const write of writes) if ('data' in write) bytes += write.data.length * bytesPerUnit + bytesPerRecord
  return bytes
}
