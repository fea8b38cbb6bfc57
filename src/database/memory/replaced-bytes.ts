import type { StoredRecord, Tombstone } from '../../records/record.ts'

/** The bytes of a row of the journal without the texts of its writes: ids, digest, and index entries. */
const bytesPerRow = 800

/**
 * Bytes that a commit adds only to the history: its row, and the versions that its writes replaced. They are released when the floor
 * reaches the commit.
 *
 * @param replaced the records of its writes before the commit
 */
export function replacedBytes(replaced: readonly (StoredRecord | Tombstone | undefined)[]): number {
  let bytes = bytesPerRow
  // A text with a character beyond U+00FF takes two bytes for each code unit. Looking for such a character takes as long as hashing the
  // text.
  for (const state of replaced) if (state !== undefined && 'data' in state) bytes += state.data.length * 2
  return bytes
}
