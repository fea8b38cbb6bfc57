/** Bytes that several answers may share. They are in memory once, however many clients get them. */
export class SharedBytes {
  readonly bytes: Buffer
  /** How many answers hold them. Only `OutgoingBytes` changes it. */
  holders = 0

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }
}

/** A piece of a body. */
export type BodyPart = string | SharedBytes

/** The length of a piece, in bytes. A piece is sent at once, and kept until the client has taken it. */
const PIECE_BYTES = 262_144
/** Short texts are joined up to this length, in UTF-16 code units, before they are encoded. */
const GATHERED_LENGTH = 8_192
/** Texts are encoded in slices of this length, in UTF-16 code units, so that no slice is larger than a piece. */
const SLICE_LENGTH = 65_536
/** Shared bytes of at least this size are sent separately. Copying fewer bytes costs less than sending them separately. */
const ALONE_BYTES = 16_384

/** The text of a body that shares little or nothing. */
export function textOf(parts: readonly BodyPart[]): string {
  return parts.map((part) => (typeof part === 'string' ? part : part.bytes.toString())).join('')
}

/** The smallest possible size of a body, in bytes. */
export function leastSize(parts: readonly BodyPart[]): number {
  return parts.reduce((size, part) => size + (typeof part === 'string' ? part.length : part.bytes.length), 0)
}

/** The size of a body, in bytes. */
export function exactSize(parts: readonly BodyPart[]): number {
  return parts.reduce(
    (size, part) => size + (typeof part === 'string' ? Buffer.byteLength(part) : part.bytes.length),
    0,
  )
}

/** An estimate of the bytes of a body that no other answer shares. It is never more than the real number. */
export function ownSize(parts: readonly BodyPart[]): number {
  let size = 0
  for (const part of parts) if (typeof part === 'string') size += part.length
  return size
}

/** The parts, separated by commas. */
export function separated(parts: readonly BodyPart[]): BodyPart[] {
  return parts.flatMap((part, at) => (at === 0 ? [part] : [',', part]))
}

/** How many more bytes are in memory while a body is kept. */
export function neededBytes(parts: readonly BodyPart[]): number {
  let size = ownSize(parts)
  for (const part of parts) if (typeof part !== 'string' && part.holders === 0) size += part.bytes.length
  return size
}

/** The shared parts of a body. */
export function sharedParts(parts: readonly BodyPart[]): SharedBytes[] {
  return parts.filter((part) => typeof part !== 'string')
}

/** A body as pieces of bytes. Each piece is made when it is requested. */
export function* piecesOf(parts: Iterable<BodyPart>): Generator<Buffer | SharedBytes> {
  const piece = new Piece()
  let text = ''
  for (const part of parts) {
    if (typeof part !== 'string' && part.bytes.length >= ALONE_BYTES) {
      yield* piece.add(text)
      text = ''
      yield* piece.take()
      yield part
      continue
    }
    text += typeof part === 'string' ? part : part.bytes.toString()
    if (text.length < GATHERED_LENGTH) continue
    yield* piece.add(text)
    text = ''
  }
  yield* piece.add(text)
  yield* piece.take()
}

/** A text as bytes, in memory that returns to the system when it is released, unless it is short. */
export function bytesOf(text: string): Buffer {
  const bytes = allocate(Buffer.byteLength(text))
  bytes.write(text)
  return bytes
}

/**
 * Releases the memory of a piece at once, because an idle process collects no garbage. The piece must not be used afterwards.
 */
export function freeBytes({ buffer }: Buffer): void {
  if (buffer instanceof ArrayBuffer && buffer.resizable) buffer.resize(0)
}

/**
 * Memory of exactly this length. Resizable memory is mapped separately, and unmapped when it is collected; `malloc` would keep it. Short
 * memory would take a whole page, and a mapping, of which a process may have 65,530. The pool of Node.js is no choice: one slow client would
 * keep all of it.
 */
function allocate(length: number): Buffer<ArrayBuffer> {
  if (length < ALONE_BYTES) return Buffer.allocUnsafeSlow(length)
  return Buffer.from(new ArrayBuffer(length, { maxByteLength: length }))
}

/**
 * A piece that is being filled. Its memory is allocated when its length is known: V8 counts all memory that is allocated, and collects
 * garbage again and again when thousands of answers have hundreds of kilobytes for a few characters.
 */
class Piece {
  #slices: string[] = []
  #length = 0;

  /** Appends a text. @returns the pieces that are full */
  *add(text: string): Generator<Buffer> {
    for (let from = 0; from < text.length; ) {
      const to = endOfSlice(text, from)
      const slice = from === 0 && to === text.length ? text : text.slice(from, to)
      const bytes = Buffer.byteLength(slice)
      if (bytes > PIECE_BYTES - this.#length) yield* this.take()
      this.#slices.push(slice)
      this.#length += bytes
      from = to
    }
  }

  /** The remaining bytes, if there are any. */
  *take(): Generator<Buffer> {
    if (this.#length === 0) return
    const bytes = allocate(this.#length)
    let at = 0
    for (const slice of this.#slices) at += bytes.write(slice, at)
    this.#slices = []
    this.#length = 0
    yield bytes
  }
}

/** The end of a slice that certainly fits into a piece. It is never between the halves of a surrogate pair. */
function endOfSlice(text: string, from: number): number {
  const to = from + SLICE_LENGTH
  if (to >= text.length) return text.length
  const last = text.charCodeAt(to - 1)
  return last >= 0xd800 && last < 0xdc00 ? to - 1 : to
}
