import { isUtf8 } from 'node:buffer'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { CoordinatorError } from '../../errors.ts'
import { checkStructure, HARMLESS_BYTES } from '../../records/body/body-structure.ts'
import { notJson } from '../../records/body/check-json.ts'
import { LIMITS } from '../../records/limits.ts'
import { longTurn } from '../../scheduling/long-work.ts'
import type { BodyRefusal } from '../../telemetry/metrics/http-metrics.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import { requireJson } from './body-media-type.ts'

export interface ReceiveOptions {
  /** The most bytes that the arriving bodies of all clients may take together. */
  readonly maxBytes: number
  readonly metrics: Metrics
  /** The time that every body gets, plus the time for its length, in milliseconds. @default 10_000 */
  readonly graceMs?: number
}

/** The part of all bytes that one principal or client may hold. */
const clientShare = 0.25
/** For this many bytes a body gets one more millisecond: 64 KiB a second. */
const bytesPerMs = 65.536
/** How often the receiver looks for bodies that arrive too slowly, in milliseconds. */
const lookMs = 250

/** Larger bodies are parsed one after the other, and the event loop does other work between two of them. */
const smallBytes = 65_536

/** Receives the JSON of a body, `undefined` for an empty one, or the error with which it is refused. */
export type BodyTaker = (error: Error | undefined, body?: unknown) => void

/** Whether a request has a body, or the headers of one. */
export function announcesBody(headers: IncomingHttpHeaders): boolean {
  if (headers['content-type'] !== undefined || headers['transfer-encoding'] !== undefined) return true
  const length = headers['content-length']
  return length !== undefined && length !== '0'
}

/** One body that is arriving. */
interface Incoming {
  readonly request: IncomingMessage
  readonly taker: BodyTaker
  readonly shareOf: () => string
  /** The value of Content-Length; not a number without that header. */
  readonly declared: number
  readonly startedAt: number
  received: number
  /** How many bytes it takes from the budget. */
  held: number
  /** Whose share the body uses; empty until it needs one. */
  share: string
  /**
   * The only piece, which is the usual case, or a buffer to which later pieces are copied. Many small pieces would take far more memory.
   */
  room: Buffer | undefined
  isOver: boolean
}

/**
 * Receives request bodies as JSON. All of them share one budget of bytes. One principal or client may use a quarter of it, and each body has a time
 * limit. A refused body frees its bytes at once, and the rest of it is discarded as it arrives. A large body holds its bytes until it is
 * parsed.
 */
export class BodyReceiver {
  readonly #options: Required<ReceiveOptions>
  readonly #underWay = new Set<Incoming>()
  readonly #bytesOf = new Map<string, number>()
  readonly #ends = new BodyEnds()
  #bytes = 0
  #look: NodeJS.Timeout | undefined
  #closing = false

  constructor(options: ReceiveOptions) {
    this.#options = { graceMs: 10_000, ...options }
    options.metrics.ask({ bodyBytes: () => this.#bytes })
  }

  /**
   * @param shareOf tells whose share of the memory the body uses. Called only for large bodies, and for those that do not arrive at once
   * @param taker called once: with the whole body, or with COORD_BODY_TOO_LARGE, COORD_BODY_NOT_JSON, COORD_BODY_TOO_DEEP,
   * COORD_RECEIVE_FULL, COORD_REQUEST_TIMEOUT, COORD_SHUTTING_DOWN
   * @throws COORD_BODY_MEDIA_TYPE
   */
  receive(request: IncomingMessage, shareOf: () => string, taker: BodyTaker): void {
    const { headers } = request
    if (headers['content-type'] !== 'application/json' || headers['content-encoding'] !== undefined)
      requireJson(request)
    const declared = Number(headers['content-length'] ?? Number.NaN)
    if (declared > LIMITS.bodyBytes) {
      taker(tooLarge())
      return
    }
    // Most bodies come in one piece with the head of their request. Node has all their bytes one tick later, and reading them then costs
    // much less than listening for parts.
    process.nextTick(() => {
      if (declared > smallBytes || request.readableLength !== declared)
        return this.#listen(request, { declared, shareOf, taker })
      const bytes = request.read() as Buffer | null
      this.#ends.expect(request)
      handBody(bytes, taker)
    })
  }

  #listen(request: IncomingMessage, about: Pick<Incoming, 'declared' | 'shareOf' | 'taker'>): void {
    const incoming: Incoming = {
      ...{ request, ...about, startedAt: performance.now(), received: 0, held: 0 },
      ...{ share: '', room: undefined, isOver: false },
    }
    this.#underWay.add(incoming)
    this.#look ??= setInterval(() => this.#refuseSlow(), lookMs).unref()
    // After the end of a body these listeners only discard data: nobody reads the rest, and a broken connection is not an error.
    request.on('data', (piece: Buffer) => this.#take(incoming, piece))
    request.on('end', () => this.#end(incoming))
    request.on('error', (error) => this.#refuse(incoming, error))
  }

  /** Refuses the bodies that are still arriving, because the server stops. */
  refuseAll(): void {
    this.#closing = true
    for (const incoming of this.#underWay) this.#refuse(incoming, shuttingDown())
  }

  #take(incoming: Incoming, piece: Buffer): void {
    if (incoming.isOver) return
    const total = incoming.received + piece.length
    if (total > LIMITS.bodyBytes) return this.#refuse(incoming, tooLarge())
    // A whole body that arrives at once needs no budget.
    if (incoming.room === undefined && total === incoming.declared) incoming.room = piece
    else {
      // While the server stops, it still takes bodies that arrive at once, but waits for no others.
      const refusal = this.#closing ? shuttingDown() : this.#makeRoom(incoming, total)
      if (refusal !== undefined) return this.#refuse(incoming, refusal)
      piece.copy(incoming.room as Buffer, incoming.received)
    }
    incoming.received = total
  }

  #makeRoom(incoming: Incoming, total: number): CoordinatorError | undefined {
    const before = incoming.room?.length ?? 0
    if (total <= before) return undefined
    const size = Math.min(LIMITS.bodyBytes, Math.max(total, 2 * before, 4_096))
    const refusal = this.#claim(incoming, size - before)
    if (refusal !== undefined) return refusal
    const room = Buffer.allocUnsafeSlow(size)
    incoming.room?.copy(room, 0, 0, incoming.received)
    incoming.room = room
    return undefined
  }

  /** @returns the reason why a body may not hold that many more bytes, or `undefined` */
  #claim(incoming: Incoming, bytes: number): CoordinatorError | undefined {
    const { maxBytes } = this.#options
    if (incoming.share === '') incoming.share = incoming.shareOf()
    const { share } = incoming
    const ofShare = (this.#bytesOf.get(share) ?? 0) + bytes
    if (this.#bytes + bytes > maxBytes) return this.#refusal('full')
    if (ofShare > maxBytes * clientShare) return this.#refusal('client')
    this.#bytes += bytes
    this.#bytesOf.set(share, ofShare)
    incoming.held += bytes
    return undefined
  }

  #end(incoming: Incoming): void {
    if (incoming.isOver) return
    incoming.isOver = true
    this.#underWay.delete(incoming)
    if (incoming.received <= smallBytes) this.#hand(incoming)
    else void longTurn(incoming.share || incoming.shareOf()).then(() => this.#hand(incoming))
  }

  #hand(incoming: Incoming): void {
    const { room, received, taker } = incoming
    this.#release(incoming)
    handBody(room === undefined || room.length === received ? room : room.subarray(0, received), taker)
  }

  #refuse(incoming: Incoming, error: Error): void {
    if (incoming.isOver) return
    incoming.isOver = true
    this.#underWay.delete(incoming)
    this.#release(incoming)
    incoming.taker(error)
  }

  #release(incoming: Incoming): void {
    incoming.room = undefined
    if (incoming.held === 0) return
    const { share, held } = incoming
    this.#bytes -= held
    const left = (this.#bytesOf.get(share) ?? 0) - held
    if (left > 0) this.#bytesOf.set(share, left)
    else this.#bytesOf.delete(share)
  }

  #refuseSlow(): void {
    const now = performance.now()
    for (const incoming of this.#underWay)
      if (now - incoming.startedAt > this.#options.graceMs + incoming.received / bytesPerMs)
        this.#refuse(incoming, this.#refusal('slow'))
    if (this.#underWay.size > 0) return
    clearInterval(this.#look)
    this.#look = undefined
  }

  #refusal(reason: BodyRefusal): CoordinatorError {
    this.#options.metrics.http.bodyRefused(reason)
    if (reason === 'slow')
      return new CoordinatorError('COORD_REQUEST_TIMEOUT', {
        detail: 'The body arrived too slowly: it has 10 seconds, and one more for every 64 KiB.',
        outcome: 'not_written',
      })
    return new CoordinatorError('COORD_RECEIVE_FULL', {
      detail:
        reason === 'full'
          ? 'Request bodies that are still arriving use all the memory that is set aside for them.'
          : 'Request bodies that are still arriving from this principal or client use all the memory that one may use.',
      outcome: 'not_written',
    })
  }
}

/**
 * Reads the ends of bodies whose bytes were read at once. Node gets the end of a message in the same turn of the event loop, and notices it
 * at the next read. All requests of a turn share one such read, which comes before their answers: an answer to a request that has not ended
 * makes Node listen for the end.
 */
class BodyEnds {
  #requests: IncomingMessage[] = []

  expect(request: IncomingMessage): void {
    this.#requests.push(request)
    if (this.#requests.length === 1) setImmediate(() => this.#readAll())
  }

  #readAll(): void {
    const requests = this.#requests
    this.#requests = []
    for (const request of requests) request.read()
  }
}

/** Parses a body for its taker. @param bytes absent or `null` for an empty body */
function handBody(bytes: Buffer | null | undefined, taker: BodyTaker): void {
  let body: unknown
  try {
    if (bytes) body = parseBody(bytes)
  } catch (error) {
    taker(error as Error)
    return
  }
  taker(undefined, body)
}

function parseBody(bytes: Buffer): unknown {
  // Decoding would replace invalid bytes with U+FFFD, and store something else than was sent.
  if (!isUtf8(bytes)) throw new CoordinatorError('COORD_BODY_NOT_JSON', { detail: 'The body is not UTF-8.' })
  if (bytes.length > HARMLESS_BYTES) checkStructure(bytes)
  const text = bytes.toString()
  try {
    return JSON.parse(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text)
  } catch (thrown) {
    throw notJson(thrown)
  }
}

function tooLarge(): CoordinatorError {
  return new CoordinatorError('COORD_BODY_TOO_LARGE', {
    detail: 'The body is larger than 1 MiB.',
    outcome: 'not_written',
  })
}

function shuttingDown(): CoordinatorError {
  return new CoordinatorError('COORD_SHUTTING_DOWN', { outcome: 'not_written' })
}
