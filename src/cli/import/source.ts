import { basename, dirname, join, resolve } from 'node:path'
import { CoordinatorError } from '../../errors.ts'
import { isJsonObject } from '../../records/canonical-json.ts'
import type { Item } from './item.ts'

/** The member of `metadata`, or of the `properties` of an assertion, that names the source which brought a record. */
export const SOURCE_KEY = 'coordinator.source'

const maxLength = 255

/**
 * The name of a source.
 *
 * @throws COORD_CLI_USAGE for a text that cannot be one
 */
export function checkedSource(text: string): string {
  if (/^[^\p{C}]+$/u.test(text) && text.trim() === text && text.length <= maxLength) return text
  throw new CoordinatorError('COORD_CLI_USAGE', {
    detail: `--source must have 1 to ${maxLength} characters, without blanks around it and without control characters.`,
    hint: 'Run the command with --help.',
  })
}

/**
 * The source that a file is if nobody names one: its folder and its own name, because many systems have a `docker-compose.yml`.
 *
 * @returns `undefined` for standard input
 */
export function sourceOfFile(path: string): string | undefined {
  if (path === '-') return undefined
  const absolute = resolve(path)
  const name = join(basename(dirname(absolute)), basename(absolute)).replaceAll('\\', '/')
  return name.replaceAll(/\p{C}/gu, '_').slice(-maxLength)
}

/** Marks an item with the source that brings it. */
export function withSource(item: Item, source: string): Item {
  const { about, value } = item
  if (item.fault !== undefined || !isJsonObject(value)) return item
  const member = about === undefined ? 'metadata' : 'properties'
  const given = value[member] ?? {}
  // The coordinator refuses it, and knows best what to say.
  if (!isJsonObject(given)) return item
  return { ...item, value: { ...value, [member]: { ...given, [SOURCE_KEY]: source } } }
}

/** The source of a stored record. */
export function sourceIn({
  kind,
  data,
}: {
  readonly kind: string
  readonly data: unknown
}): string | undefined {
  const given = isJsonObject(data) ? data[kind === 'service' ? 'metadata' : 'properties'] : undefined
  const source = isJsonObject(given) ? given[SOURCE_KEY] : undefined
  return typeof source === 'string' ? source : undefined
}
