import type { ChangesReply, OffTrack, Store } from '../../database/store.ts'
import { CoordinatorError } from '../../errors.ts'
import type { Entry } from '../../records/record.ts'
import { entrySize } from '../format/write-log.ts'
import type { Mark } from '../inventory/trail.ts'

/** How many entries are asked for at once. */
const PAGE_LIMIT = 512
/** So much is in memory at a time, by `entrySize`. It fits into one file. */
const SIZE_MAX = 6 * 1_048_576

/** Entries of the journal that follow each other. */
export interface JournalPart {
  readonly entries: readonly Entry[]
  /** Whether the journal goes on after them. */
  readonly more: boolean
  /** Why the store gave no more; absent while all is well. */
  readonly offTrack?: OffTrack
  /** The version of the tokens: see `AccessState`. */
  readonly accessVersion: string
}

/**
 * Reads the journal after a mark, until there is enough for a file. It reads as a client does, so that it never takes the connection with
 * which the coordinator follows the journal.
 *
 * @throws COORD_STORE_FAULT if it gives nothing although there is more, and what the store throws
 */
export async function readJournal(
  store: Pick<Store, 'changes'>,
  lineage: string,
  after: Mark,
  { until = Number.POSITIVE_INFINITY }: { readonly until?: number } = {},
): Promise<JournalPart> {
  const entries: Entry[] = []
  let size = 0
  for (;;) {
    const { revision, digest } = entries.at(-1) ?? after
    const limit = Math.min(PAGE_LIMIT, until - revision)
    const reply = await store.changes({ lineage, revision, digest }, limit, 'client')
    const accessVersion = accessVersionOf(reply)
    if (reply.status !== 'ok') return { entries, more: true, offTrack: reply, accessVersion }
    // It would be asked again and again.
    if (reply.more && reply.entries.length === 0)
      throw new CoordinatorError('COORD_STORE_FAULT', {
        detail: `The store has entries after revision ${revision}, and gives none.`,
      })
    for (const entry of reply.entries) size += entrySize(entry)
    entries.push(...reply.entries)
    const isOver = (entries.at(-1)?.revision ?? 0) >= until
    if (!reply.more || isOver || size >= SIZE_MAX) return { entries, more: reply.more, accessVersion }
  }
}

function accessVersionOf(reply: ChangesReply): string {
  return reply.status === 'ok' ? reply.accessVersion : reply.head.accessVersion
}
