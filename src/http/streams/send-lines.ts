import type { ServerResponse } from 'node:http'
import { setImmediate as turn } from 'node:timers/promises'
import type { FastifyReply } from 'fastify'
import { etagOfForm } from '../../records/etag.ts'
import type { Revision } from '../../records/record.ts'
import { NDJSON_TYPE } from '../reading/accepts.ts'
import { matchesEtag } from '../reading/conditional.ts'
import { whileWanted } from '../reading/while-wanted.ts'
import type { HttpContext } from '../routing/http-context.ts'
import { countAnswer } from '../routing/route-timer.ts'
import { writeBytes } from '../sending/write-bytes.ts'
import { StreamPace } from './stream-pace.ts'

/** Chunks of whole lines, and what they show. */
export interface Lines {
  readonly chunks: AsyncIterable<string> | Iterable<string>
  readonly revision: Revision
  readonly etag?: string
  /** @default JSON lines */
  readonly contentType?: string
}

/**
 * Sends JSON lines, or other text in pieces, as fast as the client reads them. If they cannot be made to the end, or the client reads too
 * slowly, the connection is closed without an end: a client never takes a part for the whole.
 *
 * @param make called when it is the turn of this stream. It must not keep a moment of the state before that
 * @throws COORD_STREAMS_BUSY, and what `make` throws
 */
export async function sendLines(
  context: HttpContext,
  reply: FastifyReply,
  make: () => Lines | Promise<Lines>,
): Promise<void> {
  const stream = async () => {
    const lines = await make()
    // Its time was over meanwhile, and that is answered already.
    if (reply.raw.headersSent) return letGo(lines.chunks, reply.raw)
    const status = begin(context, reply, lines)
    if (status === 304 || reply.request.method === 'HEAD') await letGo(lines.chunks, reply.raw)
    else await send(context, reply, lines)
    countAnswer(context.metrics, reply, status)
  }
  if (reply.request.method === 'HEAD') await stream()
  else await context.wholeStreams.run(stream, whileWanted(reply))
  // The client is gone and needs no answer.
  reply.hijack()
}

/** Writes the head. @returns the status in it */
function begin(
  { answers }: HttpContext,
  reply: FastifyReply,
  { revision, etag, contentType = NDJSON_TYPE }: Lines,
): number {
  const headers = [...answers.stateHeaders(revision), ...answers.commonHeaders(reply), 'Vary', 'Accept']
  // The same records in another form are another representation.
  const tag = etag === undefined ? undefined : etagOfForm(etag, 'lines')
  if (tag !== undefined) headers.push('ETag', tag, 'Cache-Control', 'no-cache')
  const known = reply.request.headers['if-none-match']
  const status = tag !== undefined && known !== undefined && matchesEtag(known, tag) ? 304 : 200
  if (status === 200) headers.push('Content-Type', contentType)
  reply.hijack()
  reply.raw.writeHead(status, headers)
  return status
}

async function send(
  { outgoing, log, stallTimeoutMs }: HttpContext,
  reply: FastifyReply,
  { chunks }: Lines,
): Promise<void> {
  const { raw: response, request } = reply
  const pace = new StreamPace(response, stallTimeoutMs)
  try {
    for await (const chunk of chunks) {
      if (response.destroyed) return
      if (chunk !== '') {
        const bytes = Buffer.from(chunk)
        const { promise, resolve } = Promise.withResolvers<void>()
        if (!writeBytes(response, [bytes], resolve)) {
          const hold = outgoing.hold(request.socket, bytes.length)
          response.once('close', resolve)
          await pace.waitFor(promise)
          response.off('close', resolve)
          hold.took(bytes.length)
          hold.release()
        }
        pace.took(bytes.length)
      }
      // A client that reads as fast as chunks come must not keep all others waiting.
      await turn()
    }
    response.end()
  } catch (err) {
    response.destroy()
    log.debug({ requestId: request.id, route: reply.route?.pattern, err }, 'lines were not sent to the end')
  }
}

/** What nobody reads may hold on to what it would have been made of. */
async function letGo(chunks: Lines['chunks'], response: ServerResponse): Promise<void> {
  response.end()
  if (Symbol.asyncIterator in chunks) await chunks[Symbol.asyncIterator]().return?.()
}
