import type { Commit, Entry } from '../records/record.ts'
import { entryWrite } from './judge-commit.ts'
import type { CommitResult } from './store.ts'

/** The journal entries of the commits of a batch that were accepted just now: a database need not send back what it was sent. */
export function acceptedEntries(results: readonly CommitResult[], batch: readonly Commit[]): Entry[] {
  const entries: Entry[] = []
  for (let index = 0; index < results.length; index += 1) {
    const result = results[index] as CommitResult
    if (result.outcome !== 'accepted' || result.replayed) continue
    const { revision, at, digest } = result
    const { commitId, actor, writes } = batch[index] as Commit
    entries.push({ revision, commitId, at, actor, writes: writes.map(entryWrite), digest })
  }
  return entries
}
