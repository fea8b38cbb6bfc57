import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { addAbortSignal, type Readable } from 'node:stream'
import { CoordinatorError } from '../../errors.ts'
import { isJsonObject } from '../../records/canonical-json.ts'
import type { FormatOptions } from '../formats/read-format.ts'
import type { Assertion, FormatName, FormatReading } from '../formats/reading/format-reading.ts'
import { InputParts, isServicesAnswer } from './input-parts.ts'
import { type Item, itemOf, type Place } from './item.ts'
import { splitLines, type TextLine } from './split-lines.ts'

/** Formats of other programs that describe services. Their readers are loaded only if they are needed. */
export const FILE_FORMATS = ['compose', 'kubernetes', 'backstage'] as const satisfies readonly FormatName[]

/** Reads a file of another program; `undefined` for a text that is in none of these formats. */
export type FormatReader = (text: string, options: FormatOptions) => FormatReading | undefined

export interface ReadItemsOptions {
  readonly stdin: NodeJS.ReadableStream
  /** The format of the file. @default recognized by what is in the file */
  readonly format?: FormatName | undefined
  /** The namespace that is wanted, for formats that name others by their addresses. */
  readonly namespace?: string | undefined
  /** Called once it is known that the file is of another program. */
  readonly onFormat?: (format: string) => void
  /** Called for what is not known about something in such a file. */
  readonly onDetail?: (place: string, message: string) => void
  readonly formats: () => Promise<FormatReader>
  readonly interrupted?: AbortSignal | undefined
}

/** The largest text that is read as one document. JSON Lines have no such limit. */
const documentLimit = 256 * 1024 * 1024

interface Input extends ReadItemsOptions {
  readonly path: string
  /** For messages. */
  readonly name: string
  /** In bytes; `undefined` for pipes and devices, which have none. */
  readonly size: number | undefined
}

/**
 * Reads registrations and assertions: a JSON array, one JSON object, an answer of `GET /services`, JSON Lines with one object a line, an
 * export, or a file of another program. JSON Lines are read as a stream, so their number does not matter.
 *
 * @param path a file, or `-` for `stdin`
 * @throws COORD_CLI_FILE if there is nothing to read, COORD_CLI_FILE_PARTIAL if the input says that there is more, and the reason of
 * `interrupted`
 */
export async function* readItems(path: string, options: ReadItemsOptions): AsyncGenerator<Item> {
  const { stdin, format, interrupted } = options
  const name = path === '-' ? 'standard input' : path
  let stream: Readable | undefined
  try {
    const input = { ...options, path, name, size: path === '-' ? undefined : await sizeOf(path) }
    stream = path === '-' ? (stdin as Readable) : createReadStream(path)
    if (interrupted !== undefined) addAbortSignal(interrupted, stream)
    const lines = filledLines(splitLines(stream))
    const { value: first } = await lines.next()
    if (first === undefined) throw unreadable(`${name} is empty.`)
    const value = first.text.trimStart().startsWith('{') ? parsed(first.text) : undefined
    // A file of another program may begin with an object on one line, too.
    if (format === undefined && value !== undefined && !isForeign(value))
      yield* readLines(first, lines, input)
    else yield* readDocument(await restOf(first, lines, name), input)
  } catch (thrown) {
    interrupted?.throwIfAborted()
    if (thrown instanceof CoordinatorError) throw thrown
    const { code = '', message } = thrown as NodeJS.ErrnoException
    const reason = reasons[code] ?? `cannot be read (${code || message})`
    throw unreadable(`${name} ${reason}.`, { cause: thrown })
  } finally {
    if (path !== '-') stream?.destroy()
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  const found = await stat(path)
  if (found.isDirectory()) throw unreadable(`${path} is a folder.`)
  return found.isFile() ? found.size : undefined
}

/** Leaves out the byte order mark. Empty lines stay in documents of other programs, where they may belong to a text. */
async function* filledLines(lines: AsyncIterable<TextLine>): AsyncGenerator<TextLine, undefined> {
  let isBegun = false
  for await (const line of lines) {
    const text: string = isBegun ? line.text : line.text.replace(/^\ufeff/, '')
    isBegun ||= text.trim() !== ''
    if (isBegun) yield { ...line, text }
  }
  return undefined
}

async function* readLines(
  first: TextLine,
  rest: AsyncGenerator<TextLine, undefined>,
  input: Input,
): AsyncGenerator<Item> {
  const parts = new InputParts(input.name)
  for (let line: TextLine | undefined = first; line !== undefined; ) {
    const next = await nextFilled(rest)
    const value = parsed(line.text)
    const content = value === undefined ? [] : parts.contentOf(value)
    // Before the last line, so that nothing of a single page is sent.
    if (next === undefined) parts.check()
    const fraction = input.size === undefined || input.size === 0 ? {} : { fraction: line.end / input.size }
    const place = { place: `line ${line.number}`, ...fraction }
    if (value === undefined) yield { ...place, fault: brokenLine(line.text) }
    else if (isServicesAnswer(value)) yield* listed(content)
    else for (const item of content) yield itemOf(item, place)
    line = next
  }
}

async function nextFilled(lines: AsyncGenerator<TextLine, undefined>): Promise<TextLine | undefined> {
  for (;;) {
    const { value } = await lines.next()
    if (value === undefined || value.text.trim() !== '') return value
  }
}

/** An object that is neither a registration nor anything that a coordinator writes. */
function isForeign(value: unknown): boolean {
  if (!isJsonObject(value) || isServicesAnswer(value) || 'serviceName' in value) return false
  return 'apiVersion' in value || isJsonObject(value['services'])
}

/** With the empty lines before the first one, so that messages about lines are right. */
async function restOf(first: TextLine, lines: AsyncGenerator<TextLine>, name: string): Promise<string> {
  const parts = [`${'\n'.repeat(first.number - 1)}${first.text}`]
  for await (const { text, end } of lines) {
    if (end > documentLimit)
      throw unreadable(`${name} is larger than 256 MiB.`, {
        hint: 'Write it as JSON Lines: `jq -c ".[]" FILE`.',
      })
    parts.push(text)
  }
  return parts.join('\n')
}

async function* readDocument(text: string, input: Input): AsyncGenerator<Item> {
  const document = parsed(text)
  if (input.format !== undefined || document === undefined || isForeign(document)) {
    const items = await foreignItems(text, input)
    if (items !== undefined) return yield* items
  }
  const { name } = input
  if (document === undefined) throw notJson(text, name)
  if (typeof document !== 'object' || document === null)
    throw unreadable(`${name} holds neither an object nor a list of objects.`)
  const parts = new InputParts(name)
  const content = [document].flat().flatMap((value) => parts.contentOf(value))
  parts.check()
  yield* listed(content)
}

function* listed(values: readonly unknown[]): Generator<Item> {
  for (const [index, value] of values.entries())
    yield itemOf(value, { place: `item ${index + 1}`, fraction: (index + 1) / values.length })
}

/** @returns `undefined` for a text that is in none of the formats, unless one was asked for */
async function foreignItems(
  text: string,
  { path, name, format, namespace, formats, onFormat, onDetail }: Input,
): Promise<readonly Item[] | undefined> {
  const read = await formats()
  const reading = read(text, { file: path, format, namespace })
  if (reading === undefined) {
    if (format === undefined) return undefined
    throw unreadable(`${name} is not a file of the format ${format}.`, {
      hint: 'Run the command without --format: it recognizes the format.',
    })
  }
  onFormat?.(reading.format)
  const { services, nodes, edges, unreadable: all } = reading
  for (const { where, why, isDetail } of all) if (isDetail === true) onDetail?.(where, why)
  const left = all.filter(({ isDetail }) => isDetail !== true)
  const asserted = (kind: 'node' | 'edge') => (given: Assertion) => (place: Place) => ({
    ...place,
    about: { kind, id: given.id },
    value: given.body,
  })
  const makers: ((place: Place) => Item)[] = [
    ...services.map((value) => (place: Place) => ({ ...place, value })),
    ...nodes.map(asserted('node')),
    ...edges.map(asserted('edge')),
  ]
  return [
    ...left.map(
      ({ where, why }): Item => ({ place: where, fault: { code: 'COORD_CLI_FORMAT', reason: why } }),
    ),
    ...makers.map((make, at) => make({ place: `item ${at + 1}`, fraction: (at + 1) / makers.length })),
  ]
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function brokenLine(text: string): NonNullable<Item['fault']> {
  return { code: 'COORD_BODY_NOT_JSON', reason: `is not JSON: ${faultOf(text)}` }
}

function notJson(text: string, name: string): CoordinatorError {
  return unreadable(`${name} is not JSON: ${faultOf(text)}`, {
    hint: `Check it with \`jq . < FILE\`. JSON Lines need one whole object on each line. For a file of another program, give --format: ${FILE_FORMATS.join(', ')}.`,
  })
}

/** Why a text is not JSON. */
function faultOf(text: string): string {
  try {
    JSON.parse(text)
    return ''
  } catch (thrown) {
    return (thrown as Error).message.replaceAll(/\s+/g, ' ')
  }
}

function unreadable(detail: string, more: { cause?: unknown; hint?: string } = {}): CoordinatorError {
  return new CoordinatorError('COORD_CLI_FILE', { detail, ...more })
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  EACCES: 'may not be read',
  EISDIR: 'is a folder',
  ERR_ENCODING_INVALID_ENCODED_DATA: 'is not UTF-8: save it as UTF-8',
}
