import type { JournalEntry } from '../../../api/types.ts'
import { writtenNodes } from './entry-summary.ts'

/** The nodes that the newest commit wrote; none if there is no commit. */
export function entryNodes(entry: JournalEntry | undefined): readonly string[] {
  return entry === undefined ? [] : writtenNodes(entry)
}
