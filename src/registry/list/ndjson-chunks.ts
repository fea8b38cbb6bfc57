import { longTurn } from '../../scheduling/long-work.ts'

/** Size of a chunk before it is handed on, in UTF-16 code units. */
const CHUNK_SIZE = 65_536

/** JSON texts as chunks of whole NDJSON lines. The texts are made one by one, when their chunk is wanted. */
export async function* ndjsonChunks(texts: Iterable<string>): AsyncGenerator<string> {
  let chunk = ''
  for (const text of texts) {
    chunk += `${text}\n`
    if (chunk.length < CHUNK_SIZE) continue
    yield chunk
    chunk = ''
    // A reader that takes chunks as fast as they come must not keep everybody else waiting.
    await longTurn()
  }
  if (chunk !== '') yield chunk
}
