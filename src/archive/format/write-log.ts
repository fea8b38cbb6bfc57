import type { Entry } from '../../records/record.ts'
import { Pace } from '../../scheduling/pace.ts'
import { type EncryptOptions, type LogPage, type NewFile, TEXT_BYTES_TARGET } from './archive-format.ts'
import { entryLine } from './entry-line.ts'
import { FileTextWriter } from './file-text.ts'
import { headerLine } from './header.ts'
import { packFile } from './pack-file.ts'

/**
 * The log file of a page that is small enough: see `splitLog`. The same entries give the same file, if it is not encrypted. Gives
 * others their turn.
 *
 * @throws TypeError if the page has no entries
 */
export async function writeLog(page: LogPage, options: EncryptOptions = {}): Promise<NewFile> {
  const { lineage, after, entries } = page
  const [first, last] = [entries[0], entries.at(-1)]
  if (first === undefined || last === undefined) throw new TypeError('a log file needs an entry')
  const text = new FileTextWriter()
  const range = { first: first.revision, last: last.revision, digest: last.digest }
  const times = { firstAt: first.at, lastAt: last.at }
  text.add(
    headerLine('log', page, {
      after: { lineage: after.lineage, revision: after.revision, digest: after.digest },
      ...{ ...range, ...times },
    }),
  )
  const pace = new Pace()
  for (const entry of entries) {
    text.add(entryLine(entry))
    if (pace.due) await pace.turn()
  }
  return packFile({ kind: 'log', lineage, ...range }, text.finish(), options)
}

/** About the bytes that an entry takes in a log file, without its line being made. */
export function entrySize({ actor, writes }: Entry): number {
  let size = 320 + actor.length
  for (const write of writes)
    size += 48 + write.kind.length + write.id.length + (write.op === 'put' ? write.data.length : 0)
  return size
}

/**
 * Divides entries into pages that fit into one file each. An entry that is larger than a page gets a page of its own.
 *
 * @param maxBytes of a page, by `entrySize`. The default leaves room for texts that are not ASCII. @default 7.5 MiB
 */
export function* splitLog(page: LogPage, maxBytes: number = TEXT_BYTES_TARGET / 2): Generator<LogPage> {
  let { after } = page
  let entries: Entry[] = []
  let size = 0
  for (const entry of page.entries) {
    const bytes = entrySize(entry)
    const last = entries.at(-1)
    if (last !== undefined && size + bytes > maxBytes) {
      yield { ...page, after, entries }
      after = { lineage: page.lineage, revision: last.revision, digest: last.digest }
      entries = []
      size = 0
    }
    entries.push(entry)
    size += bytes
  }
  if (entries.length > 0) yield { ...page, after, entries }
}
