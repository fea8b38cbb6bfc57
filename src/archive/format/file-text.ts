import { isUtf8 } from 'node:buffer'
import { createHash, webcrypto } from 'node:crypto'
import { isJsonObject, type JsonObject } from '../../records/canonical-json.ts'
import { storedJson } from '../../records/stored-json.ts'
import { damaged } from './damaged.ts'

/** How much text is turned into bytes at once, in UTF-16 code units. */
const CHUNK_LENGTH = 65_536

/** Collects the lines of a file, and ends it with a line that has their number and their SHA-256. */
export class FileTextWriter {
  readonly #chunks: Buffer[] = []
  readonly #hash = createHash('sha256')
  #pending = ''
  #flushedBytes = 0
  #lines = 0

  /** About the number of bytes so far. Texts that are not ASCII count when they are turned into bytes. */
  get bytes(): number {
    return this.#flushedBytes + this.#pending.length
  }

  add(line: string): void {
    this.#pending += `${line}\n`
    this.#lines += 1
    if (this.#pending.length >= CHUNK_LENGTH) this.#flush()
  }

  /** @param members more members of the last line */
  finish(members: JsonObject = {}): Buffer {
    this.#flush()
    const last = JSON.stringify({ lines: this.#lines, sha256: this.#hash.digest('hex'), ...members })
    return Buffer.concat([...this.#chunks, Buffer.from(`${last}\n`)])
  }

  #flush(): void {
    const chunk = Buffer.from(this.#pending)
    this.#hash.update(chunk)
    this.#chunks.push(chunk)
    this.#flushedBytes += chunk.length
    this.#pending = ''
  }
}

const LINE_FEED = 10

export interface FileLine {
  readonly line: string
  /** The same in UTF-8. */
  readonly bytes: Buffer
  /** Its number, from 1 on. */
  readonly number: number
}

/** The text of a file whose last line was found to be true. */
export class FileText {
  readonly name: string
  /** The first line. */
  readonly header: JsonObject
  /** The last line. */
  readonly trailer: JsonObject
  readonly #text: Buffer
  readonly #trailerAt: number

  /** @throws COORD_ARCHIVE_DAMAGED */
  static async verify(name: string, text: Buffer): Promise<FileText> {
    if (text.at(-1) !== LINE_FEED) throw damaged(name, 'Its text is cut off.')
    const trailerAt = text.lastIndexOf(LINE_FEED, text.length - 2) + 1
    const trailer = storedJson(text.toString('utf8', trailerAt))
    if (!isJsonObject(trailer)) throw damaged(name, 'Its last line is missing.')
    const covered = text.subarray(0, trailerAt)
    // In a thread of its own: for a large file it takes tens of milliseconds.
    const sum = Buffer.from(await webcrypto.subtle.digest('SHA-256', covered)).toString('hex')
    if (trailer['sha256'] !== sum)
      throw damaged(name, 'Its text is not the one that the SHA-256 in its last line covers.')
    if (!isUtf8(covered)) throw damaged(name, 'Its text is not UTF-8.')
    const headerEnd = covered.indexOf(LINE_FEED)
    const header = headerEnd < 0 ? undefined : storedJson(covered.toString('utf8', 0, headerEnd))
    if (!isJsonObject(header)) throw damaged(name, 'It is no JSON object.', 1)
    return new FileText(name, { text, trailerAt, header, trailer })
  }

  private constructor(
    name: string,
    parts: {
      readonly text: Buffer
      readonly trailerAt: number
      readonly header: JsonObject
      readonly trailer: JsonObject
    },
  ) {
    this.name = name
    this.#text = parts.text
    this.#trailerAt = parts.trailerAt
    this.header = parts.header
    this.trailer = parts.trailer
  }

  /**
   * The lines between the first and the last one, with their numbers and their bytes.
   *
   * @throws COORD_ARCHIVE_DAMAGED at the end, if their number is not the one in the last line
   */
  *lines(): Generator<FileLine> {
    let number = 1
    for (let at = this.#text.indexOf(LINE_FEED) + 1; at < this.#trailerAt; ) {
      const end = this.#text.indexOf(LINE_FEED, at)
      number += 1
      yield { line: this.#text.toString('utf8', at, end), bytes: this.#text.subarray(at, end), number }
      at = end + 1
    }
    if (this.trailer['lines'] !== number)
      throw damaged(this.name, `It has ${number} lines before the last one, which tells another number.`)
  }
}
