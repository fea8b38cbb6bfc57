import type { StoredRecord } from '../../records/record.ts'
import { Pace } from '../../scheduling/pace.ts'
import { compareCodePoints } from '../../text/code-point-order.ts'
import type { BaseEnd, BasePage, BasePoint, ReadFile } from './archive-format.ts'
import { damaged } from './damaged.ts'
import { readHeader, renamed } from './header.ts'
import { isCount } from './members.ts'
import { type OpenedFile, openFile } from './pack-file.ts'
import { readRecordLine } from './record-line.ts'

/** How many records a page has. */
const PAGE_RECORDS = 1_000

/**
 * The records of one part of a base, in pages; the first page always comes. Nothing of a file is given out before all its bytes were
 * verified. The caller takes all parts in order, and compares the state digest of what it got with the one in `end`.
 *
 * @param identities the age identities that may open it. @default none
 * @throws COORD_ARCHIVE_DAMAGED, COORD_ARCHIVE_NO_IDENTITY
 */
export async function* readBasePart(
  file: ReadFile,
  identities?: readonly string[],
): AsyncGenerator<BasePage> {
  const opened = await openFile('base', file, identities)
  const point = readBaseHeader(opened)
  const pace = new Pace()
  let page: StoredRecord[] = []
  let before: StoredRecord | undefined
  for (const line of opened.text.lines()) {
    const record = readRecordLine(line)
    if (record === undefined || record.revision > point.revision)
      throw damaged(file.name, 'It is no record of this base.', line.number)
    if (before !== undefined && !isInOrder(before, record))
      throw damaged(file.name, 'The record is not in order.', line.number)
    before = record
    page.push(record)
    if (page.length >= PAGE_RECORDS) {
      yield { point, records: page }
      page = []
    }
    if (pace.due) await pace.turn()
  }
  const end = readEnd(opened)
  yield end === undefined ? { point, records: page } : { point, records: page, end }
}

/** @throws COORD_ARCHIVE_DAMAGED */
export function readBaseHeader({ name, text }: OpenedFile<'base'>): BasePoint {
  const lineage = readHeader(text, name)
  const { revision, digest, at, part, parts } = text.header
  const isOfName = revision === name.revision && digest === name.digest
  if (!isOfName || part !== name.part || parts !== name.parts) throw renamed(text.name)
  if (!isCount(at)) throw damaged(text.name, 'It has no time.', 1)
  return { ...lineage, revision: name.revision, digest: name.digest, at }
}

function readEnd({ name, text }: OpenedFile<'base'>): BaseEnd | undefined {
  if (name.part < name.parts) return undefined
  const { records, state } = text.trailer
  if (!isCount(records) || typeof state !== 'string')
    throw damaged(text.name, 'Its last line has no state digest.')
  return { records, state }
}

function isInOrder(left: StoredRecord, right: StoredRecord): boolean {
  return (compareCodePoints(left.kind, right.kind) || compareCodePoints(left.id, right.id)) < 0
}
