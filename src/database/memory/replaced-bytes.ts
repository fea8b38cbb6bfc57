import type { StoredRecord, Tombstone } from '../../records/record.ts'

/** What a row of the journal takes beside the texts of its writes: ids, digest, and where they are found. */
const bytesPerRow = 800

/**
 * What is kept only for the past because a commit came: its row, and the versions that its writes replaced. The floor that
 * reaches the commit lets go of it.
 *
 * @param replaced the records of its writes as they were before it
 */
export function replacedBytes(replaced: readonly (StoredRecord | Tombstone | undefined)[]): number {
  let bytes = bytesPerRow
  // Texts with a character beyond U+00FF take two bytes for each unit. To look for one takes as long as to hash the text.
  for (const state of replaced) if (state !== undefined && 'data' in state) bytes += state.data.length * 2
  return bytes
}
