import type { StoredRecord } from '../../records/record.ts'
import { Pace } from '../../scheduling/pace.ts'
import { type BasePoint, type EncryptOptions, type NewFile, TEXT_BYTES_TARGET } from './archive-format.ts'
import { FileTextWriter } from './file-text.ts'
import { headerLine } from './header.ts'
import { packFile } from './pack-file.ts'
import { recordLine } from './record-line.ts'
import { StateDigest } from './state-digest.ts'

export interface WriteBaseOptions extends EncryptOptions {
  /** The sum of `recordSize` of all records. If it is a little wrong, some files are larger or smaller than others. */
  readonly recordBytes: number
  /** The clock. Epoch milliseconds. */
  readonly at: () => number
}

/**
 * What a part holds, by `recordSize`. A record is longer as a line: by its revision, its times and their names, and where it is not ASCII.
 * Less than half of `TEXT_BYTES_TARGET` is left to that.
 */
const PART_SIZE: number = 6 * 1_048_576

/** How much a record counts for `WriteBaseOptions.recordBytes`: the length of its stored text and its key. */
export function recordSize({ kind, id, data }: Pick<StoredRecord, 'kind' | 'id' | 'data'>): number {
  return data.length + kind.length + id.length
}

/**
 * The files of a base, one after another. It gives others their turn, and has one part in memory at a time. Half of a base is never taken
 * for a whole one: every name has the number of parts, and the last line of the last part has the state digest.
 *
 * @param records every record at the point, sorted by kind, then id, by code points
 */
export async function* writeBase(
  point: BasePoint,
  records: AsyncIterable<readonly StoredRecord[]>,
  options: WriteBaseOptions,
): AsyncGenerator<NewFile> {
  const parts = Math.max(1, Math.ceil(options.recordBytes / PART_SIZE))
  const base = new BaseWriter(point, { ...options, parts })
  const pace = new Pace()
  for await (const page of records)
    for (const record of page) {
      if (base.isPartFull) yield await base.endPart()
      base.add(record)
      if (pace.due) await pace.turn()
    }
  while (!base.isLastPart) yield await base.endPart()
  yield await base.endPart()
}

class BaseWriter {
  readonly #point: BasePoint
  readonly #options: WriteBaseOptions & { readonly parts: number }
  readonly #state = new StateDigest()
  #part = 1
  #text: FileTextWriter
  /** By `recordSize`. */
  #size = 0

  constructor(point: BasePoint, options: WriteBaseOptions & { readonly parts: number }) {
    this.#point = point
    this.#options = options
    this.#text = this.#begin()
  }

  get isLastPart(): boolean {
    return this.#part === this.#options.parts
  }

  get isPartFull(): boolean {
    const { recordBytes, parts } = this.#options
    // The last part takes what is left.
    if (this.isLastPart) return false
    return this.#size >= (recordBytes / parts) * this.#part || this.#text.bytes >= TEXT_BYTES_TARGET
  }

  add(record: StoredRecord): void {
    this.#text.add(recordLine(record))
    this.#state.add(record)
    this.#size += recordSize(record)
  }

  async endPart(): Promise<NewFile> {
    const { parts } = this.#options
    const { lineage, revision, digest } = this.#point
    const name = { kind: 'base', lineage, revision, digest, part: this.#part, parts } as const
    const { records } = this.#state
    const text = this.#text.finish(this.isLastPart ? { records, state: this.#state.finish() } : {})
    this.#part += 1
    if (this.#part <= parts) this.#text = this.#begin()
    return await packFile(name, text, this.#options)
  }

  #begin(): FileTextWriter {
    const { revision, digest, at } = this.#point
    const { parts, at: clock } = this.#options
    const text = new FileTextWriter()
    const place = { revision, digest, at, part: this.#part, parts, writtenAt: clock() }
    text.add(headerLine('base', this.#point, place))
    return text
  }
}
