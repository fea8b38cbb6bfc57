import type { Entry, Position } from '../../records/record.ts'
import { checkNotOlder, checkReplay } from '../check-replay.ts'
import type { ReplayReply } from '../store.ts'
import { EntryAppender, readRecordRows } from './append-entry.ts'
import { type Connection, type HeadRow, headOf } from './connection.ts'
import { requireTaking } from './modes.ts'
import { digestAt, locate } from './read-journal.ts'

/** Appends entries of another journal as they are, in one durable transaction. */
export function replayEntries(
  connection: Connection,
  after: Position,
  entries: readonly Entry[],
): ReplayReply {
  checkReplay(after, entries)
  return connection.transaction(() => {
    const head = requireTaking(connection.readHead(), 'seeding', 'copy')
    const offTrack = locate(connection, head, after)
    if (offTrack !== undefined) return offTrack
    const known = entries.filter(({ revision }) => revision <= head.revision)
    if (known.some(({ revision, digest }) => digestAt(connection, head, revision) !== digest))
      return { status: 'diverged', head: headOf(head) }
    const unknown = entries.slice(known.length)
    checkNotOlder(unknown[0], newestTime(head))
    const appender = new EntryAppender(connection, head)
    for (const entry of unknown) append(connection, appender, entry)
    return { status: 'ok', head: headOf(appender.finish()) }
  })
}

function append(connection: Connection, appender: EntryAppender, entry: Entry): void {
  const rows = readRecordRows(connection, entry.writes)
  if (appender.append(entry, entry, rows)) return
  // The other store forgot an earlier entry with this id, and took the id again.
  connection.statements.yieldCommitId.run(entry.commitId)
  appender.append(entry, entry, rows)
}

/** The times of an empty store, and of a seed at revision 0, are not those of an entry. */
function newestTime(head: HeadRow): number | null {
  return head.revision === head.first_revision ? head.seeded_at : head.at
}
