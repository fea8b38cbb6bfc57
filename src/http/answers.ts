import type { FastifyReply } from 'fastify'
import type { Live } from '../live/live.ts'
import type { Revision } from '../records/record.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { matchesEtag } from './conditional.ts'
import { limitStall } from './limit-stall.ts'
import { countAnswer } from './route-timer.ts'

/** A body that is sent as it is. */
export interface Answer {
  /** @default 200 */
  readonly status?: number
  readonly body: string
  /** @default JSON */
  readonly contentType?: string
  /** More headers: name, value, name, value. */
  readonly headers?: readonly string[]
}

/** An answer about the records. */
export interface StateAnswer extends Answer {
  /** The revision that it shows, where that is not the one of the view. */
  readonly revision?: Revision
  /** Sent as `ETag`; a request that has it already gets 304. */
  readonly etag?: string
}

export const JSON_TYPE = 'application/json; charset=utf-8'

/** Up to this size, in bytes, systems take an answer whole, whether or not the client reads it. */
const takenWholeBytes = 65_536

/**
 * Writes answers. Bodies are finished texts and headers a flat list, which go to Node as they are: on the routes that are
 * asked most this is where the time would go.
 */
export class Answers {
  readonly #live: Live
  readonly #metrics: Metrics
  readonly #stallTimeoutMs: number
  #closing = false

  /** @param stallTimeoutMs how long a client may take nothing of a large answer before it is cut off, in milliseconds */
  constructor(live: Live, metrics: Metrics, stallTimeoutMs: number) {
    this.#live = live
    this.#metrics = metrics
    this.#stallTimeoutMs = stallTimeoutMs
  }

  /** From now on every answer tells the client not to use its connection again. */
  closeConnections(): void {
    this.#closing = true
  }

  /** Sends an answer that has nothing to do with the records. */
  send(reply: FastifyReply, answer: Answer): void {
    this.#write(reply, answer, answer.headers === undefined ? [] : [...answer.headers])
  }

  /** Sends an answer about the records, with the revision it shows. */
  sendState(reply: FastifyReply, answer: StateAnswer): void {
    const headers = this.stateHeaders(answer.revision)
    if (answer.headers !== undefined) headers.push(...answer.headers)
    if (answer.etag !== undefined) {
      headers.push('ETag', answer.etag, 'Cache-Control', 'no-cache')
      const known = reply.request.headers['if-none-match']
      const { method } = reply.request
      if (known !== undefined && (method === 'GET' || method === 'HEAD') && matchesEtag(known, answer.etag)) {
        this.#write(reply, { status: 304, body: '' }, headers)
        return
      }
    }
    this.#write(reply, answer, headers)
  }

  /** Where the view stands, and whether it may be old; nothing before the first load. */
  stateHeaders(revision?: Revision): string[] {
    const live = this.#live
    if (!live.loaded) return []
    const { position } = live.view
    const headers = [
      'X-Coordinator-Revision',
      String(revision ?? position.revision),
      'X-Coordinator-Lineage',
      position.lineage,
    ]
    const { status } = live
    if (status.state === 'degraded') {
      const age = Math.max(0, Math.floor(live.figures.ageMs / 1_000))
      headers.push('X-Coordinator-Degraded', status.code ?? 'reloading', 'Age', String(age))
    }
    return headers
  }

  /** What every answer has besides. */
  commonHeaders(reply: FastifyReply): string[] {
    const id = ['X-Request-Id', reply.request.id, 'X-Content-Type-Options', 'nosniff']
    return this.#closing ? [...id, 'Connection', 'close'] : id
  }

  #write(
    reply: FastifyReply,
    { status = 200, body, contentType = JSON_TYPE }: Answer,
    headers: string[],
  ): void {
    headers.push('X-Request-Id', reply.request.id, 'X-Content-Type-Options', 'nosniff')
    const bytes = Buffer.byteLength(body)
    if (status !== 304) headers.push('Content-Type', contentType, 'Content-Length', String(bytes))
    if (this.#closing) headers.push('Connection', 'close')
    reply.hijack()
    if (bytes > takenWholeBytes) limitStall(reply.raw, this.#stallTimeoutMs)
    reply.raw.writeHead(status, headers)
    // As many bytes as code units: it is ASCII, which Node writes much faster when told so.
    reply.raw.end(body, bytes === body.length ? 'latin1' : 'utf8')
    countAnswer(this.#metrics, reply, status)
  }
}
