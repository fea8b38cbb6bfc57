import {
  Composer,
  type CST,
  isAlias,
  isMap,
  isScalar,
  Lexer,
  LineCounter,
  type Node,
  Parser,
  type YAMLMap,
} from 'yaml'
import { CoordinatorError } from '../../../errors.ts'
import type { JsonObject, JsonValue } from '../../../records/canonical-json.ts'

/** The limits of a file in one of the formats. */
export const FILE_LIMITS = {
  /** The parser of YAML takes a second and a hundred MiB of memory for each MiB. */
  yamlBytes: 8 * 1024 * 1024,
  jsonBytes: 64 * 1024 * 1024,
  documents: 10_000,
  /** Levels of maps and lists. */
  depth: 100,
  /** Characters of all values, and one for each value, after aliases have been replaced by what they name. */
  expanded: 16 * 1024 * 1024,
} as const

/** One document of a file: its value, or the reason why it has none. */
export interface FileDocument {
  /** Where it begins: `line 12`. */
  readonly where: string
  readonly value?: JsonValue
  readonly fault?: string
}

/** The line where each map of a document begins, for messages. Maps of JSON texts have none. */
export type Lines = WeakMap<object, number>

export interface FileDocuments {
  readonly documents: readonly FileDocument[]
  readonly lines: Lines
}

/**
 * Reads the documents of a YAML or JSON text. All scalars of YAML are texts, because a version `1.10` is not a number; `null`, `~` and
 * nothing are `null`. Maps have no prototype.
 *
 * @throws COORD_CLI_FILE for a text that is too large
 */
export function readDocuments(text: string): FileDocuments {
  const lines: Lines = new WeakMap()
  checkSize(text, FILE_LIMITS.jsonBytes)
  const json = parseJson(text)
  if (json !== undefined) return { documents: [readJson(json)], lines }
  checkSize(text, FILE_LIMITS.yamlBytes)
  return { documents: readYaml(text, lines), lines }
}

function checkSize(text: string, bytes: number): void {
  if (text.length <= bytes && Buffer.byteLength(text) <= bytes) return
  throw new CoordinatorError('COORD_CLI_FILE', {
    detail: `A file in this format may have at most ${FILE_LIMITS.yamlBytes / 1024 / 1024} MiB as YAML, and ${FILE_LIMITS.jsonBytes / 1024 / 1024} MiB as JSON.`,
    hint: 'Cut it where a document begins (`---`), and import each part.',
  })
}

/** `undefined` for a text that is not JSON. */
function parseJson(text: string): JsonValue | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined
  try {
    return JSON.parse(text) as JsonValue
  } catch {
    // Not JSON: YAML may begin in the same way.
    return undefined
  }
}

function readJson(json: JsonValue): FileDocument {
  try {
    return { where: 'the file', value: plainCopy(json, 1) }
  } catch (thrown) {
    if (thrown instanceof DocumentFault) return { where: 'the file', fault: thrown.message }
    throw thrown
  }
}

/** The same value with maps that have no prototype, so that a member `constructor` is like any other. */
function plainCopy(value: JsonValue, depth: number): JsonValue {
  if (typeof value !== 'object' || value === null) return value
  if (depth > FILE_LIMITS.depth) throw tooDeep()
  if (Array.isArray(value)) return value.map((item) => plainCopy(item, depth + 1))
  const copy: Record<string, JsonValue> = Object.create(null)
  for (const [key, member] of Object.entries(value)) copy[key] = plainCopy(member, depth + 1)
  return copy
}

function readYaml(text: string, lines: Lines): FileDocument[] {
  const lineCounter = new LineCounter()
  const lineOf = (offset: number) => lineCounter.linePos(offset).line
  const expansion = new Expansion(lines, lineOf)
  const composer = new PatientComposer({
    schema: 'failsafe',
    stringKeys: true,
    // The check of the library compares each key with all others. `Expansion` checks keys faster.
    uniqueKeys: false,
    strict: false,
    prettyErrors: false,
    logLevel: 'silent',
  })
  const documents: FileDocument[] = []
  try {
    // One after another, because the nodes of a document take a hundred times the memory of its text.
    for (const document of composer.compose(shallowTokens(text, lineCounter))) {
      const [error] = document.errors
      const [from = 0, , to = from] = document.range ?? []
      const where = `line ${lineOf(document.contents?.range?.[0] ?? error?.pos[0] ?? from)}`
      // A document may hold nothing but comments.
      if (error === undefined && isEmpty(document.contents)) continue
      if (documents.length === FILE_LIMITS.documents) {
        documents.push({ where, fault: `only ${FILE_LIMITS.documents} documents of a file are read` })
        break
      }
      if (error === undefined) documents.push(expansion.read(document.contents as Node | null, where))
      else documents.push({ where, fault: faultOf(error, text.slice(from, to)) })
    }
  } catch (thrown) {
    if (!(thrown instanceof DocumentFault)) throw thrown
    documents.push({ where: 'the rest of the file', fault: thrown.message })
  }
  return documents

  function faultOf({ message, pos }: { message: string; pos: [number, number] }, source: string): string {
    const reason = message.replaceAll(/\s+/g, ' ').slice(0, 200)
    return /\{[{%]/.test(source) || /\{[{%]/.test(text.slice(pos[0], pos[0] + 200))
      ? TEMPLATE_FAULT
      : `it is not YAML at line ${lineOf(pos[0])}: ${reason}`
  }
}

/** More errors of a document than this say nothing new, and each of them takes memory for its stack. */
const MAX_ERRORS = 20

/** A composer that keeps only the first errors of a document. A program, or a template, has an error in each line. */
class PatientComposer extends Composer {
  #errors = 0

  constructor(options: ConstructorParameters<typeof Composer>[0]) {
    super(options)
    const composer = this as unknown as { onError: (...error: readonly unknown[]) => void }
    const { onError } = composer
    composer.onError = (...error) => {
      this.#errors += 1
      if (this.#errors <= MAX_ERRORS) onError(...error)
    }
  }

  override *next(token: CST.Token): ReturnType<Composer['next']> {
    if (token.type === 'document') this.#errors = 0
    if (token.type === 'error') this.#errors += 1
    if (token.type !== 'error' || this.#errors <= MAX_ERRORS) yield* super.next(token)
  }
}

/** The parser opens up to three of its nodes for one level of a document. */
const MAX_OPEN = 3 * FILE_LIMITS.depth

/**
 * The tokens of a text.
 *
 * @throws DocumentFault at too many levels, before the parser has taken memory for millions of them
 */
function* shallowTokens(text: string, lineCounter: LineCounter): Generator<CST.Token> {
  const parser = new Parser(lineCounter.addNewLine)
  lineCounter.addNewLine(0)
  for (const lexeme of patientLexer().lex(text)) {
    yield* parser.next(lexeme)
    if (parser.stack.length > MAX_OPEN) throw tooDeep()
  }
  yield* parser.end()
}

/**
 * A lexer that takes quoted texts of several lines however these are indented, as the parsers of Kubernetes and Docker do. YAML wants
 * them deeper than the map around them, but files of others have `key: '[` and, in the column of the key, `]'`.
 */
function patientLexer(): Lexer {
  const lexer = new Lexer()
  const inner = lexer as unknown as {
    /** The least indentation of a line that goes on with a scalar. */
    indentNext: number
    parseQuotedScalar(): Generator<string, unknown>
  }
  const { parseQuotedScalar } = inner
  inner.parseQuotedScalar = function* () {
    const { indentNext } = inner
    inner.indentNext = 0
    try {
      return yield* parseQuotedScalar.call(lexer)
    } finally {
      inner.indentNext = indentNext
    }
  }
  return lexer
}

function isEmpty(contents: unknown): boolean {
  return contents === null || (isScalar(contents) && contents.type === 'PLAIN' && contents.source === '')
}

/** What to do with a file that a program fills in before anybody else reads it. */
export const TEMPLATE_FAULT =
  'it is a template with {{ }}, not yet filled in: render it first, with `helm template` or the program that it is for'

class DocumentFault extends Error {}

const tooDeep = () => new DocumentFault(`it has more than ${FILE_LIMITS.depth} levels of maps and lists`)

/**
 * Makes values from the nodes of YAML, and replaces aliases and merge keys (`<<`) by what they name. The parser could do that, too, but it
 * would look through all anchors for each alias, and count aliases instead of what they expand to. Real files use one anchor a hundred times.
 */
class Expansion {
  readonly #lines: Lines
  readonly #lineOf: (offset: number) => number
  /** The size of each map and list, with everything in it. */
  readonly #sizes = new WeakMap<object, number>()
  #anchors = new Map<string, JsonValue>()
  #left: number = FILE_LIMITS.expanded

  constructor(lines: Lines, lineOf: (offset: number) => number) {
    this.#lines = lines
    this.#lineOf = lineOf
  }

  read(contents: Node | null, where: string): FileDocument {
    this.#anchors = new Map()
    try {
      return { where, value: this.#valueOf(contents, 1) }
    } catch (thrown) {
      if (thrown instanceof DocumentFault) return { where, fault: thrown.message }
      throw thrown
    }
  }

  #valueOf(node: unknown, depth: number): JsonValue {
    if (node === null || node === undefined) return null
    if (isAlias(node)) return this.#named(node.source)
    if (depth > FILE_LIMITS.depth) throw tooDeep()
    const value = this.#ownValueOf(node as Node, depth)
    const { anchor } = node as { anchor?: string }
    // Only now: an alias inside of what it names would have no end.
    if (anchor !== undefined) this.#anchors.set(anchor, value)
    return value
  }

  #ownValueOf(node: Node, depth: number): JsonValue {
    if (isScalar(node)) {
      const text = node.source ?? String(node.value ?? '')
      this.#spend(text.length + 1)
      return node.type === 'PLAIN' && nulls.has(text) ? null : text
    }
    const before = this.#left
    this.#spend(1)
    const value = isMap(node)
      ? this.#mapOf(node, depth)
      : (node as { items: readonly unknown[] }).items.map((item) => this.#valueOf(item, depth + 1))
    this.#sizes.set(value, before - this.#left)
    return value
  }

  #mapOf(map: YAMLMap, depth: number): JsonObject {
    const value: Record<string, JsonValue> = Object.create(null)
    const merged: JsonValue[] = []
    for (const { key, value: member } of map.items) {
      const name = isScalar(key) ? (key.source ?? String(key.value ?? '')) : String(key ?? '')
      this.#spend(name.length)
      const item = this.#valueOf(member, depth + 1)
      if (name === '<<' && isScalar(key) && key.type === 'PLAIN') merged.push(item)
      else if (Object.hasOwn(value, name)) throw new DocumentFault(`it has the key ${shown(name)} twice`)
      else value[name] = item
    }
    for (const source of merged.flat()) this.#merge(value, source)
    const offset = map.range?.[0]
    if (offset !== undefined) this.#lines.set(value, this.#lineOf(offset))
    return value
  }

  /** Members of the map itself, and of earlier sources, win. */
  #merge(value: Record<string, JsonValue>, source: JsonValue): void {
    if (typeof source !== 'object' || source === null || Array.isArray(source))
      throw new DocumentFault('it merges (<<) something that is not a map')
    for (const [key, member] of Object.entries(source)) {
      this.#spend(key.length + this.#sizeOf(member))
      if (!Object.hasOwn(value, key)) value[key] = member
    }
  }

  #named(anchor: string): JsonValue {
    const value = this.#anchors.get(anchor)
    if (value === undefined)
      throw new DocumentFault(`nothing before the alias *${shown(anchor)} has that anchor`)
    this.#spend(this.#sizeOf(value))
    return value
  }

  #sizeOf(value: JsonValue): number {
    if (typeof value === 'string') return value.length + 1
    return typeof value === 'object' && value !== null ? (this.#sizes.get(value) ?? 1) : 1
  }

  #spend(size: number): void {
    this.#left -= size
    if (this.#left < 0)
      throw new DocumentFault(
        `its aliases expand to more than ${FILE_LIMITS.expanded / 1024 / 1024} Mi characters`,
      )
  }
}

const nulls = new Set(['', '~', 'null', 'Null', 'NULL'])

function shown(text: string): string {
  return text.length <= 64 ? text : `${text.slice(0, 64).toWellFormed()}...`
}
