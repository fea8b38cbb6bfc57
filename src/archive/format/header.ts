import packageJson from '../../../package.json' with { type: 'json' }
import type { JsonObject } from '../../records/canonical-json.ts'
import { type ArchivedLineage, FORMAT_NUMBER, SCHEMA_NUMBER } from './archive-format.ts'
import { damaged, writtenByNewer } from './damaged.ts'
import type { FileName } from './file-name.ts'
import type { FileText } from './file-text.ts'
import { isCount, isTextList } from './members.ts'

/** The first line of a file. */
export function headerLine(
  kind: FileName['kind'],
  { lineage, ancestors }: ArchivedLineage,
  members: JsonObject,
): string {
  const { version: program } = packageJson
  const common = { format: FORMAT_NUMBER, schema: SCHEMA_NUMBER, program, kind, lineage, ancestors }
  return JSON.stringify({ ...common, ...members })
}

/**
 * Reads what the first lines of all files have in common, and compares it with the name of the file.
 *
 * @throws COORD_ARCHIVE_DAMAGED
 */
export function readHeader({ name, header }: FileText, { kind, lineage }: FileName): ArchivedLineage {
  const { format, schema, program, ancestors } = header
  if (!isCount(format) || !isCount(schema)) throw damaged(name, 'It has no format number.', 1)
  if (format > FORMAT_NUMBER || schema > SCHEMA_NUMBER) throw writtenByNewer(name, String(program))
  if (header['kind'] !== kind || header['lineage'] !== lineage) throw renamed(name)
  if (!isTextList(ancestors)) throw damaged(name, 'It has no ancestors.', 1)
  return { lineage, ancestors }
}

/** The error of a file whose name says something else than its first line. */
export function renamed(name: string): Error {
  return damaged(name, 'The name of the file does not belong to its content: it was renamed or exchanged.', 1)
}
