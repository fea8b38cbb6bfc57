import { nextDigest } from '../../records/digest.ts'
import type { Entry, Position } from '../../records/record.ts'
import { Pace } from '../../scheduling/pace.ts'
import type { LogPage, ReadFile } from './archive-format.ts'
import { damaged } from './damaged.ts'
import { readEntryLine } from './entry-line.ts'
import { readHeader, renamed } from './header.ts'
import { isCount, isText, objectIn } from './members.ts'
import { type OpenedFile, openFile } from './pack-file.ts'

/**
 * The entries of a log file. All its bytes, the order of its revisions and times, and the chain of its digests were verified.
 *
 * @param identities the age identities that may open it. @default none
 * @throws COORD_ARCHIVE_DAMAGED, COORD_ARCHIVE_NO_IDENTITY
 */
export async function readLog(file: ReadFile, identities?: readonly string[]): Promise<LogPage> {
  const opened = await openFile('log', file, identities)
  const { lineage, ancestors, after } = readLogHeader(opened)
  const entries: Entry[] = []
  const pace = new Pace()
  let { revision, digest } = after
  let at = 0
  for (const { line, number } of opened.text.lines()) {
    const entry = readEntryLine(line)
    if (entry === undefined) throw damaged(file.name, 'It is no entry of a journal.', number)
    if (entry.revision !== revision + 1 || entry.at < at)
      throw damaged(file.name, 'The entry does not follow the one before it.', number)
    if (entry.digest !== nextDigest(digest, entry.commitId))
      throw damaged(file.name, 'The digest does not follow from the one before it.', number)
    ;({ revision, digest, at } = entry)
    entries.push(entry)
    if (pace.due) await pace.turn()
  }
  if (revision !== opened.name.last || digest !== opened.name.digest) throw renamed(file.name)
  return { lineage, ancestors, after, entries }
}

/** What the first line of a log file says. */
export interface LogHeader extends Omit<LogPage, 'entries'> {
  /** Times of the first and the last entry. Epoch milliseconds. */
  readonly firstAt: number
  readonly lastAt: number
}

/** @throws COORD_ARCHIVE_DAMAGED */
export function readLogHeader({ name, text }: OpenedFile<'log'>): LogHeader {
  const lineage = readHeader(text, name)
  const { first, last, digest, firstAt, lastAt } = text.header
  if (first !== name.first || last !== name.last || digest !== name.digest) throw renamed(text.name)
  const after = positionIn(objectIn(text.header, 'after'))
  if (after === undefined || after.revision !== name.first - 1)
    throw damaged(text.name, 'It does not say what it follows.', 1)
  if (!isCount(firstAt) || !isCount(lastAt)) throw damaged(text.name, 'It has no times.', 1)
  return { ...lineage, after, firstAt, lastAt }
}

function positionIn(value: ReturnType<typeof objectIn>): Position | undefined {
  const { lineage, revision, digest } = value ?? {}
  return isText(lineage) && isCount(revision) && isText(digest) ? { lineage, revision, digest } : undefined
}
