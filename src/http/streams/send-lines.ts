import type { ServerResponse } from 'node:http'
import { setImmediate as turn } from 'node:timers/promises'
import type { FastifyReply } from 'fastify'
import type { Live } from '../../live/live.ts'
import type { Revision } from '../../records/record.ts'
import type { Logger } from '../../telemetry/logging.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import type { Answers } from '../answering/answers.ts'
import { countAnswer } from '../answering/count-answer.ts'
import type { ClientLimits } from '../client/client-limits.ts'
import { shareOf } from '../client/share-of.ts'
import { NDJSON_TYPE } from '../reading/accepts.ts'
import { checkIfMatch, matchesEtag } from '../reading/etag.ts'
import { checkLineage } from '../reading/freshness.ts'
import { whileWanted } from '../reading/while-wanted.ts'
import type { OutgoingBytes } from '../sending/outgoing-bytes.ts'
import { writeBytes } from '../sending/write-bytes.ts'
import { StreamPace } from './stream-pace.ts'
import type { WholeStreams } from './whole-streams.ts'

/** Chunks of whole lines, and the moment that they show. */
export interface Lines {
  readonly chunks: AsyncIterable<string> | Iterable<string>
  readonly revision: Revision
  readonly etag?: string
  /** @default JSON lines */
  readonly contentType?: string
}

/** An answer of JSON lines, or of other text in pieces. */
export interface LinesAnswer {
  /** Called when it is the turn of this stream. It must not keep a moment of the state before that. */
  readonly lines: () => Lines | Promise<Lines>
}

/** The parts of the server that streams of lines use. */
export interface LinesContext {
  readonly live: Live
  readonly answers: Answers
  readonly outgoing: OutgoingBytes
  readonly wholeStreams: WholeStreams
  readonly limits: ClientLimits
  readonly metrics: Metrics
  readonly log: Logger
  /** How long a client may read nothing before its connection is closed, in milliseconds. */
  readonly stallTimeoutMs: number
}

/**
 * Sends lines as fast as the client reads them. If they cannot be completed, or the client reads too slowly, the connection is closed
 * before the end of the answer. A client therefore never mistakes a part for the whole.
 *
 * @throws COORD_STREAMS_BUSY, COORD_RATE_LIMITED, COORD_LINEAGE_CHANGED, what `checkIfMatch` throws, and what `lines` throws
 */
export async function sendLines(
  context: LinesContext,
  reply: FastifyReply,
  answer: LinesAnswer,
): Promise<void> {
  const stream = async () => {
    const lines = await answer.lines()
    // The time limit of the request has passed in the meantime, and the request has been answered already.
    if (reply.raw.headersSent) return letGo(lines.chunks, reply.raw)
    // The stream has waited for its turn.
    try {
      checkLineage(context.live, reply.request)
      if (lines.etag !== undefined) checkIfMatch(reply.request.headers, lines.etag)
    } catch (thrown) {
      await endUnread(lines.chunks)
      throw thrown
    }
    const status = begin(context, reply, lines)
    if (status === 304 || reply.request.method === 'HEAD') await letGo(lines.chunks, reply.raw)
    else await send(context, reply, lines)
    countAnswer(context.metrics, status, reply)
  }
  if (reply.request.method === 'HEAD') await stream()
  else await inTurn(context, reply, stream)
  // The client is gone and needs no answer.
  reply.hijack()
}

async function inTurn(
  { limits, wholeStreams }: LinesContext,
  reply: FastifyReply,
  stream: () => Promise<void>,
): Promise<void> {
  const { request } = reply
  const close = limits.openStream(request)
  try {
    await wholeStreams.run(stream, { signal: whileWanted(reply), client: shareOf(request) })
  } finally {
    close()
  }
}

/** Writes the status line and the headers. @returns the status */
function begin(
  { answers }: LinesContext,
  reply: FastifyReply,
  { revision, etag, contentType = NDJSON_TYPE }: Lines,
): number {
  const headers = [...answers.stateHeaders(revision), 'Vary', 'Accept']
  if (etag !== undefined) headers.push('ETag', etag, 'Cache-Control', 'no-cache')
  answers.addCommonHeaders(reply, headers)
  const known = reply.request.headers['if-none-match']
  const status = etag !== undefined && known !== undefined && matchesEtag(known, etag) ? 304 : 200
  if (status === 200) headers.push('Content-Type', contentType)
  reply.hijack()
  reply.raw.writeHead(status, headers)
  return status
}

async function send(
  { outgoing, log, stallTimeoutMs }: LinesContext,
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
          const hold = outgoing.hold(request.socket, bytes.length, { owner: shareOf(request) })
          response.once('close', resolve)
          await pace.waitFor(promise)
          response.off('close', resolve)
          hold.took(bytes.length)
          hold.release()
        }
        pace.took(bytes.length)
      }
      // A client that reads as fast as chunks come must not delay all others.
      await turn()
    }
    response.end()
  } catch (err) {
    response.destroy()
    log.debug({ requestId: request.id, route: reply.route?.pattern, err }, 'lines were not sent to the end')
  }
}

/** Ends an answer whose chunks nobody reads. */
async function letGo(chunks: Lines['chunks'], response: ServerResponse): Promise<void> {
  response.end()
  await endUnread(chunks)
}

/** Ends chunks that nobody reads, because an unfinished generator keeps its data in memory. */
async function endUnread(chunks: Lines['chunks']): Promise<void> {
  if (Symbol.asyncIterator in chunks) await chunks[Symbol.asyncIterator]().return?.()
}
