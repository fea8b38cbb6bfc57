import { hash } from 'node:crypto'
import { CoordinatorError } from '../../errors.ts'
import { canonicalJson } from '../../records/canonical-json.ts'
import type { ServiceFilters } from './list-query.ts'
import type { ListPlace } from './select-page.ts'

/** The form of a cursor; another one is not read. */
const VERSION = 1

/** Writes the place of the last service of a page. Clients see only text without meaning. */
export function writeCursor({ name, id }: ListPlace, filters: ServiceFilters): string {
  return Buffer.from(JSON.stringify([VERSION, fingerprint(filters), name, id])).toString('base64url')
}

/**
 * Reads a cursor back.
 *
 * @throws COORD_CURSOR_INVALID for one that is not ours or belongs to other filters
 */
export function readCursor(cursor: string, filters: ServiceFilters): ListPlace {
  const parts = partsOf(cursor)
  if (parts === undefined)
    throw new CoordinatorError('COORD_CURSOR_INVALID', { detail: 'The cursor is not one of ours.' })
  const [, filtersThen, name, id] = parts
  if (filtersThen !== fingerprint(filters))
    throw new CoordinatorError('COORD_CURSOR_INVALID', { detail: 'The cursor belongs to other filters.' })
  return { name, id }
}

function partsOf(cursor: string): readonly [number, string, string, string] | undefined {
  // Buffer skips what is not base64url; only the one text that we would write is ours.
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
