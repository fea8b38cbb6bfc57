export interface TextLine {
  /** From 1 on. */
  readonly number: number
  /** Without its line break. */
  readonly text: string
  /** Bytes of the input up to the end of this line. */
  readonly end: number
}

/**
 * Splits a stream of bytes at line feeds, as JSON Lines requires. JSON text may contain U+2028 and similar characters, at which
 * `node:readline` would split.
 *
 * @throws TypeError if the bytes are not UTF-8
 */
export async function* splitLines(input: AsyncIterable<string | Uint8Array>): AsyncGenerator<TextLine> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  let pieces: Uint8Array[] = []
  let number = 0
  let end = 0
  const take = (last: Uint8Array): TextLine => {
    const bytes = Buffer.concat([...pieces, last])
    pieces = []
    number += 1
    end += bytes.length + 1
    return { number, end, text: decoder.decode(bytes).replace(/\r$/, '') }
  }
  for await (const chunk of input) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
    let start = 0
    for (let feed = bytes.indexOf(10); feed !== -1; feed = bytes.indexOf(10, start)) {
      yield take(bytes.subarray(start, feed))
      start = feed + 1
    }
    if (start < bytes.length) pieces.push(bytes.subarray(start))
  }
  if (pieces.length > 0) yield take(Buffer.alloc(0))
}
