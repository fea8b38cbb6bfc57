import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { FastifyReply } from 'fastify'
import { etagOfForm } from '../records/etag.ts'
import type { Revision } from '../records/record.ts'
import { NDJSON_TYPE } from './accepts.ts'
import { matchesEtag } from './conditional.ts'
import type { HttpContext } from './http-context.ts'
import { limitStall } from './limit-stall.ts'
import { countAnswer } from './route-timer.ts'

/** Chunks of whole lines, and what they show. */
export interface Lines {
  readonly chunks: AsyncIterable<string> | Iterable<string>
  readonly revision: Revision
  readonly etag?: string
  /** @default JSON lines */
  readonly contentType?: string
}

/**
 * Sends JSON lines, or other text in pieces, as fast as the client takes them. Where they cannot be made to the end, the
 * connection is cut: a client never takes a part for the whole. So it is where a client takes nothing for long, which would
 * hold on to the records of that moment for ever.
 */
export async function sendLines(
  { answers, metrics, log, stallTimeoutMs }: HttpContext,
  reply: FastifyReply,
  { chunks, revision, etag, contentType = NDJSON_TYPE }: Lines,
): Promise<void> {
  const { request } = reply
  const headers = [...answers.stateHeaders(revision), ...answers.commonHeaders(reply), 'Vary', 'Accept']
  // The same records in another form are another representation.
  const tag = etag === undefined ? undefined : etagOfForm(etag, 'lines')
  if (tag !== undefined) headers.push('ETag', tag, 'Cache-Control', 'no-cache')
  const known = request.headers['if-none-match']
  const status = tag !== undefined && known !== undefined && matchesEtag(known, tag) ? 304 : 200
  if (status === 200) headers.push('Content-Type', contentType)
  reply.hijack()
  reply.raw.writeHead(status, headers)
  if (status === 304 || request.method === 'HEAD') {
    reply.raw.end()
    await letGo(chunks)
  } else
    try {
      limitStall(reply.raw, stallTimeoutMs)
      await pipeline(Readable.from(chunks), reply.raw)
    } catch (err) {
      log.debug({ requestId: request.id, route: reply.route?.pattern, err }, 'lines were not sent to the end')
    }
  countAnswer(metrics, reply, status)
}

/** What nobody reads may hold on to what it would have been made of. */
async function letGo(chunks: Lines['chunks']): Promise<void> {
  if (Symbol.asyncIterator in chunks) await chunks[Symbol.asyncIterator]().return?.()
}
