import type { JournalWrite } from '../api/types.ts'

/** What a client did, as people say it. The journal does not tell a first registration from a later one. */
export function writeVerb({ op, kind }: JournalWrite): string {
  if (op === 'delete') return 'removed'
  return kind === 'service' ? 'registered' : 'asserted'
}
