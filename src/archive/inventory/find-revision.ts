import { CoordinatorError } from '../../errors.ts'
import type { Entry, Revision } from '../../records/record.ts'
import { quoted } from '../../text/quoted.ts'
import type { ArchiveFiles } from './archive-files.ts'
import { type HistoryLine, type LineLog, lastRevisionOf, type Range, rangesOf } from './history-line.ts'

/**
 * The newest revision at or before a time. It reads the first lines of some logs, and one log.
 *
 * @param at epoch milliseconds
 * @throws COORD_ARCHIVE_EMPTY if the time is before everything, or in a gap of the archive; COORD_ARCHIVE_DAMAGED,
 * COORD_ARCHIVE_NO_IDENTITY
 */
export async function revisionAt(line: HistoryLine, at: number, files: ArchiveFiles): Promise<Revision> {
  const ranges = rangesOf(line)
  let index = ranges.length - 1
  while (index >= 0 && (await startOf(ranges[index] as Range, files)) > at) index -= 1
  const range = ranges[index]
  if (range === undefined) throw unknownTime(at, 'The archive begins later.')
  const revision = await revisionIn(range, at, files)
  // What came next is not known, and may have come before the time.
  if (revision === range.to && revision < lastRevisionOf(line))
    throw unknownTime(at, `The archive lacks what came after revision ${revision}.`)
  return revision
}

/** An entry, and the file that has it. */
export interface FoundCommit {
  readonly entry: Entry
  /** The name of the file. */
  readonly file: string
}

/**
 * Looks for a commit, from the newest log to the oldest.
 *
 * @throws COORD_ARCHIVE_EMPTY if no log has it; COORD_ARCHIVE_DAMAGED, COORD_ARCHIVE_NO_IDENTITY
 */
export async function findCommit(
  line: HistoryLine,
  commitId: string,
  files: ArchiveFiles,
): Promise<FoundCommit> {
  for (const { logs } of rangesOf(line).reverse())
    for (const log of logs.toReversed()) {
      const entries = await entriesOf(log, files)
      const entry = entries.find((each) => each.commitId === commitId)
      if (entry !== undefined) return { entry, file: log.file.name }
    }
  throw new CoordinatorError('COORD_ARCHIVE_EMPTY', {
    detail: `No log of this history has the commit ${quoted(commitId, 64)}.`,
  })
}

/** The time of the first revision of a range. */
async function startOf({ base }: Range, files: ArchiveFiles): Promise<number> {
  const [first] = base.files
  if (first === undefined) return Number.POSITIVE_INFINITY
  return files.require(await files.baseHeader(first), first).at
}

async function revisionIn({ from, logs }: Range, at: number, files: ArchiveFiles): Promise<Revision> {
  // Times never go back in a journal, so half of the rest is enough each time.
  let [low, high] = [0, logs.length]
  while (low < high) {
    const middle = (low + high) >> 1
    const { file } = logs[middle] as LineLog
    if (files.require(await files.logHeader(file), file).firstAt <= at) low = middle + 1
    else high = middle
  }
  const log = logs[low - 1]
  if (log === undefined) return from
  const entries = await entriesOf(log, files)
  // The log may begin before the range.
  return Math.max(from, entries.findLast((entry) => entry.at <= at)?.revision ?? 0)
}

async function entriesOf({ file, last }: LineLog, files: ArchiveFiles): Promise<readonly Entry[]> {
  const entries = files.require(await files.entries(file), file)
  return entries.filter(({ revision }) => revision <= last)
}

function unknownTime(at: number, why: string): CoordinatorError {
  return new CoordinatorError('COORD_ARCHIVE_EMPTY', {
    detail: `The state at ${new Date(at).toISOString()} is not known. ${why}`,
  })
}
