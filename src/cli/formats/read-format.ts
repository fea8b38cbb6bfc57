import { basename } from 'node:path'
import { isJsonObject, type JsonObject, type JsonValue } from '../../records/canonical-json.ts'
import { isEntity, readBackstage } from './backstage/read-backstage.ts'
import type { Variables } from './compose/interpolate.ts'
import { readCompose } from './compose/read-compose.ts'
import { readKubernetes } from './kubernetes/read-kubernetes.ts'
import { type FormatName, type FormatReading, ReadingBuilder } from './reading/format-reading.ts'
import { FILE_LIMITS, type FileDocuments, readDocuments } from './reading/read-documents.ts'

export interface FormatOptions {
  /** @default recognized by what is in the file */
  readonly format?: FormatName | undefined
  /** The name of the file; `-` for standard input. */
  readonly file: string
  /** Takes the place of every namespace that the file names. */
  readonly namespace?: string | undefined
  /** Values of variables of a compose file, as in the file `.env` beside it. @default none */
  readonly variables?: Variables | undefined
}

/** The formats that `readFormat` reads. */
export const FORMATS: readonly FormatName[] = ['compose', 'kubernetes', 'backstage']

/**
 * Reads a file in the format of another system: services to register, and nodes and edges to assert. All of them are such as the
 * coordinator accepts; whatever else the file holds is listed as unreadable.
 *
 * @returns `undefined` if the text is in none of these formats, as for registrations in JSON
 * @throws COORD_CLI_FILE if the file is too large
 */
export function readFormat(text: string, options: FormatOptions): FormatReading | undefined {
  const { format: given, namespace, variables } = options
  if (given === undefined && !mayBeFormat(text)) return undefined
  const documents = readDocuments(text)
  const format = given ?? shownFormat(documents) ?? namedFormat(options.file, text)
  if (format === undefined) return undefined
  const reading = new ReadingBuilder(format)
  if (format === 'kubernetes') readKubernetes(documents, { namespace }, reading)
  else if (format === 'backstage') readBackstage(documents, { namespace }, reading)
  else readComposeDocuments(documents, { namespace, variables }, reading)
  return reading.build()
}

/** A quick look: registrations, which may be many, need not be read twice. */
function mayBeFormat(text: string): boolean {
  if (!/\b(?:services|apiVersion)"?[ \t]*:/.test(text)) return false
  return !/^\s*[[{](?!\{)/.test(text) || (text.length <= FILE_LIMITS.jsonBytes && !isJsonLines(text))
}

function isJsonLines(text: string): boolean {
  const end = text.indexOf('\n')
  if (end < 0 || text.slice(end).trim() === '') return false
  try {
    JSON.parse(text.slice(0, end))
    return true
  } catch {
    // Only the beginning of a JSON document, or YAML.
    return false
  }
}

function shownFormat({ documents }: FileDocuments): FormatName | undefined {
  for (const { value } of documents) {
    const items = isJsonObject(value) && Array.isArray(value['items']) ? value['items'] : value
    const first: JsonValue | undefined = Array.isArray(items) ? items[0] : value
    if (isEntity(first) || isEntity(value)) return 'backstage'
    if (!isJsonObject(first)) continue
    if (typeof first['apiVersion'] === 'string' && typeof first['kind'] === 'string') return 'kubernetes'
    if (isProject(value)) return 'compose'
  }
  return undefined
}

function isProject(value: JsonValue | undefined): value is JsonObject {
  return isJsonObject(value) && isJsonObject(value['services'])
}

/** The format of a file that could not be read at all, so that the answer can say why. */
function namedFormat(file: string, text: string): FormatName | undefined {
  const name = basename(file).toLowerCase()
  if (/^(?:docker-)?compose[\w.-]*\.ya?ml$/.test(name)) return 'compose'
  if (/^catalog-info[\w.-]*\.ya?ml$/.test(name)) return 'backstage'
  if (/^services:/m.test(text)) return 'compose'
  if (!/^apiVersion:/m.test(text) || !/^kind:/m.test(text)) return undefined
  return /^apiVersion:\s*\S*backstage\.io\//m.test(text) ? 'backstage' : 'kubernetes'
}

function readComposeDocuments(
  { documents }: FileDocuments,
  options: { readonly namespace: string | undefined; readonly variables: Variables | undefined },
  reading: ReadingBuilder,
): void {
  const [first, ...more] = documents
  if (first === undefined) reading.cannotRead('the file', 'it is empty')
  else if (first.fault !== undefined) reading.cannotRead(first.where, first.fault)
  else if (isProject(first.value)) readCompose(first.value, options, reading)
  else reading.cannotRead(first.where, 'it is not a compose file: it has no map of services')
  for (const { where } of more) reading.cannotKnow(where, 'Compose reads only one document of a file')
}
