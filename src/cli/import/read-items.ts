import { createReadStream, type ReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { CoordinatorError, type ErrorCode } from '../../errors.ts'
import { splitLines, type TextLine } from './split-lines.ts'

/** One registration of the input, or the reason why there is none. */
export interface Item {
  /** The position of the item in the input, for people: `item 3`, `line 12`. */
  readonly place: string
  readonly value?: unknown
  /** The reason why it cannot be sent. */
  readonly fault?: { readonly code: ErrorCode; readonly reason: string }
  /** The part of the input that has been read up to here, from 0 to 1; absent if it is not known. */
  readonly fraction?: number
}

/** The largest text that is read as one JSON document. JSON Lines have no such limit. */
const documentLimit = 256 * 1024 * 1024

/**
 * Reads registrations: a JSON array, one JSON object, an answer of `GET /services`, or JSON Lines with one object a line. JSON Lines are
 * read as a stream, so their number does not matter.
 *
 * @param path a file, or `-` for `stdin`
 * @throws COORD_CLI_FILE if there is nothing to read, or no JSON in it
 */
export async function* readItems(path: string, stdin: NodeJS.ReadableStream): AsyncGenerator<Item> {
  const name = path === '-' ? 'standard input' : path
  let file: ReadStream | undefined
  try {
    const size = path === '-' ? undefined : await sizeOf(path)
    if (path !== '-') file = createReadStream(path)
    const lines = splitLines(file ?? stdin)
    const first = await firstLine(lines)
    if (first === undefined) throw unreadable(`${name} is empty.`)
    if (isJsonObject(first.text)) yield* readLines(first, lines, size)
    else yield* readDocument(await restOf(first.text, lines, name), name)
  } catch (thrown) {
    if (thrown instanceof CoordinatorError) throw thrown
    const { code = '', message } = thrown as NodeJS.ErrnoException
    const reason = reasons[code] ?? `cannot be read (${code || message})`
    throw unreadable(`${name} ${reason}.`, { cause: thrown })
  } finally {
    file?.destroy()
  }
}

/** The size of a file; `undefined` for pipes and devices, which have none. */
async function sizeOf(path: string): Promise<number | undefined> {
  const found = await stat(path)
  if (found.isDirectory()) throw unreadable(`${path} is a folder.`)
  return found.isFile() ? found.size : undefined
}

/** The first line that is not empty, without a byte order mark. */
async function firstLine(lines: AsyncIterator<TextLine>): Promise<TextLine | undefined> {
  for (;;) {
    const next = await lines.next()
    if (next.done === true) return undefined
    const text = next.value.text.replace(/^\ufeff/, '')
    if (text.trim() !== '') return { ...next.value, text }
  }
}

function isJsonObject(text: string): boolean {
  if (!text.trimStart().startsWith('{')) return false
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

async function* readLines(
  first: TextLine,
  rest: AsyncGenerator<TextLine>,
  size: number | undefined,
): AsyncGenerator<Item> {
  const whole = JSON.parse(first.text) as unknown
  let next = await rest.next()
  // A single line may be one registration, or a whole answer of the coordinator.
  if (next.done === true && isAnswer(whole)) return yield* itemsOf(whole.services)
  yield itemOf(first, size)
  for (; next.done !== true; next = await rest.next())
    if (next.value.text.trim() !== '') yield itemOf(next.value, size)
}

function itemOf({ number, text, end }: TextLine, size: number | undefined): Item {
  const place = `line ${number}`
  const fraction = size === undefined || size === 0 ? {} : { fraction: end / size }
  try {
    return { place, value: JSON.parse(text), ...fraction }
  } catch (thrown) {
    const reason = `is not JSON: ${(thrown as Error).message}`
    return { place, fault: { code: 'COORD_BODY_NOT_JSON', reason }, ...fraction }
  }
}

async function restOf(first: string, lines: AsyncGenerator<TextLine>, name: string): Promise<string> {
  const parts = [first]
  for await (const { text, end } of lines) {
    if (end > documentLimit)
      throw unreadable(`${name} is larger than 256 MiB.`, {
        hint: 'Write it as JSON Lines: `jq -c ".[]" FILE`.',
      })
    parts.push(text)
  }
  return parts.join('\n')
}

function* readDocument(text: string, name: string): Generator<Item> {
  const document = parseDocument(text, name)
  if (isAnswer(document)) yield* itemsOf(document.services)
  else yield* itemsOf(Array.isArray(document) ? document : [document])
}

function* itemsOf(values: readonly unknown[]): Generator<Item> {
  for (const [index, value] of values.entries())
    yield { place: `item ${index + 1}`, value, fraction: (index + 1) / values.length }
}

function parseDocument(text: string, name: string): unknown {
  try {
    const document: unknown = JSON.parse(text)
    if (typeof document === 'object' && document !== null) return document
  } catch (thrown) {
    const reason = (thrown as Error).message.replaceAll(/\s+/g, ' ')
    const hint = 'Check it with `jq . < FILE`. JSON Lines need one whole object on each line.'
    throw unreadable(`${name} is not JSON: ${reason}.`, { cause: thrown, hint })
  }
  throw unreadable(`${name} holds neither an object nor a list of objects.`)
}

/** The answer to `GET /services`, and the output of `coordinator services --json`. */
function isAnswer(document: unknown): document is { services: readonly unknown[] } {
  if (typeof document !== 'object' || document === null) return false
  return 'services' in document && Array.isArray(document.services) && !('serviceName' in document)
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
