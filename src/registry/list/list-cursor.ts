import { hash } from 'node:crypto'
import { CoordinatorError } from '../../errors.ts'
import { canonicalJson } from '../../records/canonical-json.ts'
import type { ServiceFilters } from './list-query.ts'
import type { SortKey } from './select-page.ts'

/** The format of a cursor. A cursor of another format is refused. */
const VERSION = 1

/** Writes the position of the last service of a page. For clients the text has no meaning. */
export function writeCursor({ name, id }: SortKey, filters: ServiceFilters): string {
  return Buffer.from(JSON.stringify([VERSION, fingerprint(filters), name, id])).toString('base64url')
}

/**
 * Reads a cursor.
 *
 * @throws COORD_CURSOR_INVALID if the cursor is not ours or belongs to other filters
 */
export function readCursor(cursor: string, filters: ServiceFilters): SortKey {
  const parts = partsOf(cursor)
  if (parts === undefined)
    throw new CoordinatorError('COORD_CURSOR_INVALID', { detail: 'The cursor is not one of ours.' })
  const [, filtersThen, name, id] = parts
  if (filtersThen !== fingerprint(filters))
    throw new CoordinatorError('COORD_CURSOR_INVALID', { detail: 'The cursor belongs to other filters.' })
  return { name, id }
}

function partsOf(cursor: string): readonly [number, string, string, string] | undefined {
  // Buffer skips characters that are not base64url. Only the text that we would write ourselves is accepted.
  const bytes = Buffer.from(cursor, 'base64url')
  if (bytes.toString('base64url') !== cursor) return undefined
  try {
    const parts: unknown = JSON.parse(bytes.toString())
    const ours =
      Array.isArray(parts) &&
      parts.length === 4 &&
      parts[0] === VERSION &&
      parts.slice(1).every((part) => typeof part === 'string')
    return ours ? (parts as unknown as readonly [number, string, string, string]) : undefined
  } catch {
    return undefined
  }
}

function fingerprint(filters: ServiceFilters): string {
  return hash('sha256', canonicalJson(filters), 'base64url').slice(0, 16)
}
