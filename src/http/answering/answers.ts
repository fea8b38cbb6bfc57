import type { ServerResponse } from 'node:http'
import type { FastifyReply } from 'fastify'
import { CoordinatorError } from '../../errors.ts'
import type { Live } from '../../live/live.ts'
import type { Revision } from '../../records/record.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import { shareOf } from '../client/share-of.ts'
import { checkIfMatch, matchesEtag } from '../reading/etag.ts'
import { whileWanted } from '../reading/while-wanted.ts'
import { type BodyPart, exactSize, leastSize, neededBytes, textOf } from '../sending/body-part.ts'
import { Deliveries } from '../sending/delivery.ts'
import type { OutgoingBytes } from '../sending/outgoing-bytes.ts'
import { countAnswer } from './count-answer.ts'

/** A body that is sent unchanged. */
export interface Answer {
  /** @default 200 */
  readonly status?: number
  /** A text, or its parts. The parts of a large answer are never joined. */
  readonly body: string | readonly BodyPart[]
  /** @default JSON */
  readonly contentType?: string
  /** More headers: name, value, name, value. */
  readonly headers?: readonly string[]
  /** Whether it is written at once, whatever other clients have not read: what operators need to see that. @default false */
  readonly isUrgent?: boolean
}

/** An answer about the records. */
export interface StateAnswer extends Answer {
  /** The revision that the answer shows, if it is not that of the view. */
  readonly revision?: Revision
  /** Sent as `ETag`. A request that already has it gets 304. */
  readonly etag?: string
}

const JSON_TYPE = 'application/json; charset=utf-8'

export interface AnswersOptions {
  readonly live: Live
  readonly metrics: Metrics
  readonly outgoing: OutgoingBytes
  /** How long a client may read nothing of a large answer before its connection is closed, in milliseconds. */
  readonly stallTimeoutMs: number
  /** Whether answers are for their caller only, unless their route is public. Caches that several callers share must not keep them. */
  readonly arePrivate: boolean
}

/** Up to this size, in bytes, operating systems nearly always accept a whole answer, even if the client does not read it. */
const TAKEN_WHOLE_BYTES = 65_536

/**
 * Thrown when there is no room for the answer to a read. The answer is discarded, and made again when there is room. While it waits, it
 * takes no memory.
 */
export class RoomNeeded extends Error {
  readonly bytes: number

  constructor(bytes: number) {
    super('an answer waits for room')
    this.bytes = bytes
  }
}

/**
 * Writes answers. Bodies are finished texts, and headers are a flat list. Both go to Node unchanged: on the most frequent routes, any
 * conversion would take most of the time.
 */
export class Answers {
  readonly #live: Live
  readonly #metrics: Metrics
  readonly #outgoing: OutgoingBytes
  readonly #deliveries: Deliveries
  readonly #arePrivate: boolean
  readonly #reserved = new Map<FastifyReply, number>()
  #closing = false

  constructor({ live, metrics, outgoing, stallTimeoutMs, arePrivate }: AnswersOptions) {
    this.#live = live
    this.#metrics = metrics
    this.#outgoing = outgoing
    this.#deliveries = new Deliveries(outgoing, stallTimeoutMs)
    this.#arePrivate = arePrivate
  }

  /** From now on, every answer tells the client to close its connection. */
  closeConnections(): void {
    this.#closing = true
  }

  /** Sends an answer that is not about the records. */
  send(reply: FastifyReply, answer: Answer): void {
    this.#write(reply, answer, answer.headers === undefined ? [] : [...answer.headers])
  }

  /** Sends an answer about the records, with the revision it shows. */
  sendState(reply: FastifyReply, answer: StateAnswer): void {
    const headers = this.stateHeaders(answer.revision)
    if (answer.headers !== undefined) headers.push(...answer.headers)
    if (answer.etag !== undefined) {
      headers.push('ETag', answer.etag, 'Cache-Control', 'no-cache')
      const { headers: asked } = reply.request
      checkIfMatch(asked, answer.etag)
      const known = asked['if-none-match']
      if (known !== undefined && matchesEtag(known, answer.etag)) {
        this.#write(reply, { status: 304, body: '' }, headers)
        return
      }
    }
    this.#write(reply, answer, headers)
  }

  /** The position of the view, and whether it may be old; nothing before the first load. */
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

  /** Adds the headers that every answer has, at the end of its own ones. */
  addCommonHeaders(reply: FastifyReply, headers: string[]): void {
    headers.push('X-Request-Id', reply.request.id, 'X-Content-Type-Options', 'nosniff')
    if (this.#closing) headers.push('Connection', 'close')
    if (this.#arePrivate && reply.route?.operation?.scope !== 'public' && !headers.includes('Cache-Control'))
      headers.push('Cache-Control', 'private, no-cache')
  }

  /**
   * Waits until there is room for a large answer, and reserves it.
   *
   * @returns `false` if the client is gone
   * @throws COORD_ANSWERS_WAITING
   */
  async reserve(reply: FastifyReply, bytes: number): Promise<boolean> {
    const owner = shareOf(reply.request)
    const outcome = await this.#outgoing.room(bytes, { gone: whileWanted(reply), owner })
    if (outcome === 'late')
      throw new CoordinatorError('COORD_ANSWERS_WAITING', {
        detail:
          'Clients have not read their answers yet, and there is no memory for this one, or this principal or client uses half of it.',
        retryAfterSeconds: 5,
      })
    if (outcome === 'room') this.#reserved.set(reply, bytes)
    return outcome === 'room'
  }

  /** Releases the reservation for an answer that did not need it. */
  giveBack(reply: FastifyReply): void {
    const bytes = this.#takeReserved(reply)
    if (bytes !== undefined) this.#outgoing.giveBack(bytes, shareOf(reply.request))
  }

  #takeReserved(reply: FastifyReply): number | undefined {
    if (this.#reserved.size === 0) return undefined
    const bytes = this.#reserved.get(reply)
    this.#reserved.delete(reply)
    return bytes
  }

  #write(reply: FastifyReply, answer: Answer, headers: string[]): void {
    const { body } = answer
    // The time of the question was over, and it has its answer already.
    if (reply.raw.headersSent) this.giveBack(reply)
    else if (typeof body === 'string' && (body.length <= TAKEN_WHOLE_BYTES || answer.isUrgent === true))
      this.#writeText(reply, answer, body, headers)
    else this.#writeParts(reply, answer, headers)
  }

  #writeText(reply: FastifyReply, answer: Answer, body: string, headers: string[]): void {
    const bytes = Buffer.byteLength(body)
    const raw = this.#writeHead(reply, answer, bytes, headers)
    // There are as many bytes as code units, so the text is ASCII. Node writes ASCII much faster when it knows.
    raw.end(body, bytes === body.length ? 'latin1' : 'utf8')
    if (raw.writableLength > 0) this.#outgoing.watch(raw, bytes, shareOf(reply.request))
  }

  /** Bytes that need not be text. */
  #writeBytes(reply: FastifyReply, answer: Answer, bytes: Buffer, headers: string[]): void {
    const raw = this.#writeHead(reply, answer, bytes.length, headers)
    raw.end(bytes)
    if (raw.writableLength > 0) this.#outgoing.watch(raw, bytes.length, shareOf(reply.request))
  }

  #writeHead(
    reply: FastifyReply,
    { status = 200, contentType = JSON_TYPE }: Answer,
    bytes: number,
    headers: string[],
  ): ServerResponse {
    this.giveBack(reply)
    this.addCommonHeaders(reply, headers)
    if (status !== 304) headers.push('Content-Type', contentType, 'Content-Length', String(bytes))
    reply.hijack()
    countAnswer(this.#metrics, status, reply)
    return reply.raw.writeHead(status, headers)
  }

  #writeParts(reply: FastifyReply, answer: Answer, headers: string[]): void {
    const { status = 200, body, contentType = JSON_TYPE } = answer
    const parts = typeof body === 'string' ? [body] : body
    const { method } = reply.request
    if (method === 'HEAD') {
      this.#writeHead(reply, answer, exactSize(parts), headers).end()
      return
    }
    if (leastSize(parts) <= TAKEN_WHOLE_BYTES) {
      const [only] = parts
      if (parts.length === 1 && typeof only === 'object')
        return this.#writeBytes(reply, answer, only.bytes, headers)
      return this.#writeText(reply, answer, textOf(parts), headers)
    }
    const owner = shareOf(reply.request)
    const reserved = this.#takeReserved(reply)
    if (reserved !== undefined) this.#outgoing.useReserved(reserved, owner)
    else if (method === 'GET' && status === 200) {
      const needed = neededBytes(parts)
      if (!this.#outgoing.hasRoom(needed, owner)) throw new RoomNeeded(needed)
    }
    this.addCommonHeaders(reply, headers)
    headers.push('Content-Type', contentType)
    reply.hijack()
    this.#deliveries.send({
      ...{ response: reply.raw, parts, owner },
      begin: (length) => reply.raw.writeHead(status, [...headers, 'Content-Length', String(length)]),
    })
    countAnswer(this.#metrics, status, reply)
  }
}
