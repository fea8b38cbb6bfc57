import { longTurn } from '../../scheduling/long-work.ts'

/** The size of a chunk, in UTF-16 code units. */
const CHUNK_SIZE = 65_536

/** JSON texts as chunks of whole NDJSON lines. Each text is made only when its chunk is needed. */
export async function* ndjsonChunks(texts: Iterable<string>): AsyncGenerator<string> {
  let chunk = ''
  for (const text of texts) {
    chunk += `${text}\n`
    if (chunk.length < CHUNK_SIZE) continue
    yield chunk
    chunk = ''
    // A reader that takes chunks as fast as they come must not delay all others.
    await longTurn()
  }
  if (chunk !== '') yield chunk
}
