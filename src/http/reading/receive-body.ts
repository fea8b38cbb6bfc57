import type { IncomingMessage } from 'node:http'
import { CoordinatorError } from '../../errors.ts'
import { LIMITS } from '../../records/limits.ts'
import { longTurn } from '../../scheduling/long-work.ts'
import type { BodyRefusal, IncomingMetrics } from '../../telemetry/metrics/incoming-metrics.ts'

export interface ReceiveOptions {
  /** How many bytes of bodies under way are held at once, of all clients together. */
  readonly maxBytes: number
  readonly metrics: IncomingMetrics
  /** How long every body may take, before the time that its length adds, in milliseconds. @default 10_000 */
  readonly graceMs?: number
}

/** What one client address may hold of all the bytes. */
const clientShare = 0.25
/** A body may take one millisecond longer for every so many bytes: 64 KiB a second. */
const bytesPerMs = 65.536
/** How often the receiver looks for bodies that arrive too slowly, in milliseconds. */
const lookMs = 250

/** Larger bodies are parsed one after the other, and the event loop does other work between two of them. */
const smallBytes = 65_536

type Done = (error: Error | null, body?: Buffer) => void

/**
 * Receives request bodies. All of them share one budget of bytes, of which one client may use a quarter, and each has a time limit. A
 * body that is refused frees its bytes at once, and the rest of it is discarded as it arrives. A large body holds its bytes until it
 * is parsed.
 */
export class BodyReceiver {
  readonly #options: Required<ReceiveOptions>
  readonly #underWay = new Set<Incoming>()
  readonly #bytesOf = new Map<string, number>()
  #bytes = 0
  #look: NodeJS.Timeout | undefined

  constructor(options: ReceiveOptions) {
    this.#options = { graceMs: 10_000, ...options }
    options.metrics.ask({ bodyBytes: () => this.#bytes })
  }

  /** @param done is called once: with the whole body, or with COORD_BODY_TOO_LARGE, COORD_RECEIVE_FULL, COORD_REQUEST_TIMEOUT */
  receive(request: IncomingMessage, done: Done): void {
    if (Number(request.headers['content-length'] ?? 0) > LIMITS.bodyBytes) {
      done(tooLarge())
      return
    }
    const incoming = new Incoming(request, {
      end: (error) => {
        this.#underWay.delete(incoming)
        const hand = () => {
          this.#release(incoming)
          done(error, error === null ? incoming.bytes() : undefined)
        }
        if (error !== null || incoming.received <= smallBytes) hand()
        else void longTurn().then(hand)
      },
      grow: (bytes) => this.#claim(incoming, bytes),
    })
    this.#underWay.add(incoming)
    this.#look ??= setInterval(() => this.#refuseSlow(), lookMs).unref()
  }

  /** Stops the time limits. Bodies that are still arriving are received to their end. */
  close(): void {
    clearInterval(this.#look)
  }

  /** @returns why a body may not hold so many more bytes, or `undefined` */
  #claim(incoming: Incoming, bytes: number): CoordinatorError | undefined {
    const { maxBytes } = this.#options
    const ofClient = (this.#bytesOf.get(incoming.client) ?? 0) + bytes
    const reason =
      this.#bytes + bytes > maxBytes ? 'full' : ofClient > maxBytes * clientShare ? 'client' : undefined
    if (reason !== undefined) return this.#refused(reason)
    this.#bytes += bytes
    this.#bytesOf.set(incoming.client, ofClient)
    return undefined
  }

  #release(incoming: Incoming): void {
    if (incoming.held === 0) return
    this.#bytes -= incoming.held
    const left = (this.#bytesOf.get(incoming.client) ?? 0) - incoming.held
    if (left > 0) this.#bytesOf.set(incoming.client, left)
    else this.#bytesOf.delete(incoming.client)
  }

  #refuseSlow(): void {
    const now = performance.now()
    for (const incoming of this.#underWay)
      if (now - incoming.startedAt > this.#options.graceMs + incoming.received / bytesPerMs)
        incoming.refuse(this.#refused('slow'))
    if (this.#underWay.size > 0) return
    clearInterval(this.#look)
    this.#look = undefined
  }

  #refused(reason: BodyRefusal): CoordinatorError {
    this.#options.metrics.bodyRefused(reason)
    if (reason === 'slow')
      return new CoordinatorError('COORD_REQUEST_TIMEOUT', {
        detail: 'The body arrived too slowly: it has 10 seconds, and one more for every 64 KiB.',
        outcome: 'not_written',
      })
    return new CoordinatorError('COORD_RECEIVE_FULL', {
      detail:
        reason === 'full'
          ? 'Request bodies that are still arriving use all the memory that is set aside for them.'
          : 'Request bodies that are still arriving from this address use all the memory that one address may use.',
      outcome: 'not_written',
    })
  }
}

interface Owner {
  end(error: Error | null): void
  /** Asks for room. @returns why there is none, or `undefined` */
  grow(bytes: number): CoordinatorError | undefined
}

/** One body under way. */
class Incoming {
  readonly startedAt = performance.now()
  /** How many bytes it takes from the budget. */
  held = 0
  received = 0
  readonly #request: IncomingMessage
  readonly #owner: Owner
  readonly #declared: number
  /** The only piece, as most bodies come, or room that later pieces are copied to: many small ones would take far more. */
  #room: Buffer | undefined
  #client: string | undefined

  constructor(request: IncomingMessage, owner: Owner) {
    this.#request = request
    this.#owner = owner
    this.#declared = Number(request.headers['content-length'] ?? Number.NaN)
    request.on('data', this.#onData)
    request.on('end', this.#onEnd)
    request.on('error', this.#onError)
  }

  get client(): string {
    this.#client ??= this.#request.socket.remoteAddress ?? ''
    return this.#client
  }

  bytes(): Buffer {
    return this.#room?.subarray(0, this.received) ?? Buffer.alloc(0)
  }

  refuse(error: CoordinatorError): void {
    this.#settle(error)
  }

  readonly #onData = (piece: Buffer): void => {
    const total = this.received + piece.length
    if (total > LIMITS.bodyBytes) return this.#settle(tooLarge())
    if (this.#room === undefined && total === this.#declared) {
      // The whole body came at once, so that no budget is needed.
      this.#room = piece
      this.received = total
      return
    }
    const full = this.#makeRoom(total)
    if (full !== undefined) return this.#settle(full)
    piece.copy(this.#room as Buffer, this.received)
    this.received = total
  }

  #makeRoom(total: number): CoordinatorError | undefined {
    const before = this.#room?.length ?? 0
    if (total <= before) return undefined
    const size = Math.min(LIMITS.bodyBytes, Math.max(total, 2 * before, 4_096))
    const full = this.#owner.grow(size - before)
    if (full !== undefined) return full
    this.held += size - before
    const room = Buffer.allocUnsafeSlow(size)
    this.#room?.copy(room, 0, 0, this.received)
    this.#room = room
    return undefined
  }

  readonly #onEnd = (): void => this.#settle(null)

  readonly #onError = (error: Error): void => this.#settle(error)

  #settle(error: Error | null): void {
    const request = this.#request
    request.off('data', this.#onData)
    request.off('end', this.#onEnd)
    request.off('error', this.#onError)
    if (error !== null) {
      this.#room = undefined
      // Discard what still arrives: nobody reads it. A connection that breaks now is not an error either.
      request.on('error', () => undefined)
      request.resume()
    }
    this.#owner.end(error)
  }
}

function tooLarge(): CoordinatorError {
  return new CoordinatorError('COORD_BODY_TOO_LARGE', {
    detail: 'The body is larger than 1 MiB.',
    outcome: 'not_written',
  })
}
