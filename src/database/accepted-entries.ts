import type { Commit, Entry } from '../records/record.ts'
import { entryOf } from './judge-commit.ts'
import type { CommitResult } from './store.ts'

/** The journal entries of the commits that were just accepted from a batch. The database need not send back what it received. */
export function acceptedEntries(results: readonly CommitResult[], batch: readonly Commit[]): Entry[] {
  const entries: Entry[] = []
  for (let index = 0; index < results.length; index += 1) {
    const result = results[index] as CommitResult
    if (result.outcome !== 'accepted' || result.replayed) continue
    const { revision, at, digest } = result
    entries.push(entryOf(batch[index] as Commit, { revision, at, digest }))
  }
  return entries
}
