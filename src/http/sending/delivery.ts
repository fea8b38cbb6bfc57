import type { ServerResponse } from 'node:http'
import { longTurn } from '../../scheduling/long-work.ts'
import { Pace } from '../../scheduling/pace.ts'
import { type BodyPart, freeBytes, ownSize, piecesOf, SharedBytes, sharedParts } from './body-part.ts'
import { limitStall } from './limit-stall.ts'
import type { Hold, OutgoingBytes } from './outgoing-bytes.ts'
import { writeBytes } from './write-bytes.ts'

/** A large answer to send. */
export interface LargeAnswer {
  readonly response: ServerResponse
  readonly parts: readonly BodyPart[]
  /** Whose share of the memory it takes. */
  readonly owner: string
  /** Writes the status line and the headers. */
  readonly begin: (contentLength: number) => void
}

/**
 * The size of pieces for a client that could not take a whole one at once, in bytes. Small pieces show sooner that the client still reads.
 */
const SLOW_PIECE_BYTES = 65_536

/**
 * Sends large answers piece by piece, as fast as each client reads, and in turns of some milliseconds. Neither one answer of many megabytes
 * nor thousands of answers at once delay other requests.
 */
export class Deliveries {
  readonly #outgoing: OutgoingBytes
  readonly #stallTimeoutMs: number
  /** The deliveries that can continue, in order. */
  readonly #ready = new Set<Delivery>()
  #running = false

  constructor(outgoing: OutgoingBytes, stallTimeoutMs: number) {
    this.#outgoing = outgoing
    this.#stallTimeoutMs = stallTimeoutMs
  }

  /** Begins to send an answer. The caller has checked that there is room for it. */
  send(answer: LargeAnswer): void {
    const { response, parts, owner } = answer
    const { socket } = response.req
    if (socket.destroyed || response.destroyed) return
    limitStall(response, this.#stallTimeoutMs)
    const hold = this.#outgoing.hold(socket, ownSize(parts), { shared: sharedParts(parts), owner })
    const delivery = new Delivery(answer, hold, () => this.#resume(delivery))
    response.once('close', () => delivery.end())
    this.#resume(delivery)
  }

  #resume(delivery: Delivery): void {
    this.#ready.add(delivery)
    if (!this.#running) this.#runLater()
    this.#running = true
  }

  #run(): void {
    const pace = new Pace()
    // A delivery that is added again comes after all others, in this round or the next.
    for (const delivery of this.#ready) {
      this.#ready.delete(delivery)
      if (delivery.step()) this.#ready.add(delivery)
      if (pace.due) break
    }
    this.#running = this.#ready.size > 0
    if (this.#running) this.#runLater()
  }

  #runLater(): void {
    // The turn is for the answers of all clients.
    void longTurn('').then(() => this.#run())
  }
}

/** Bytes for a connection. */
interface Piece {
  readonly bytes: Buffer
  /** The memory to free when the bytes are taken. Absent if other answers share it, or if a later piece uses it too. */
  readonly own?: Buffer
}

/** One large answer that is being sent. */
class Delivery {
  readonly #answer: LargeAnswer
  readonly #hold: Hold
  readonly #resume: () => void
  readonly #making: Generator<Buffer | SharedBytes>
  readonly #estimate: number
  /** The pieces, the last one first, when all of them are made. */
  #pieces: Piece[] = []
  #contentLength = 0
  #ownBytes = 0
  #begun = false
  #slow = false
  #ended = false

  constructor(answer: LargeAnswer, hold: Hold, resume: () => void) {
    this.#answer = answer
    this.#hold = hold
    this.#resume = resume
    this.#making = piecesOf(answer.parts)
    this.#estimate = hold.own
  }

  /** Does a part of the work. @returns whether more can be done now */
  step(): boolean {
    if (this.#ended) return false
    if (!this.#begun) {
      this.#make()
      return !this.#ended
    }
    const piece = this.#pieces.pop()
    if (piece !== undefined) return this.#write(piece)
    this.#answer.response.end()
    this.end()
    return false
  }

  /** Makes one more piece, or begins to send, because the headers contain the length of all pieces. */
  #make(): void {
    const { done, value } = this.#making.next()
    if (!done) {
      const shared = value instanceof SharedBytes
      const bytes = shared ? value.bytes : value
      this.#pieces.push(shared ? { bytes } : { bytes, own: bytes })
      this.#contentLength += bytes.length
      if (!shared) this.#ownBytes += bytes.length
      return
    }
    this.#begun = true
    this.#pieces.reverse()
    // A text takes at least as many bytes as it has code units.
    this.#hold.add(this.#ownBytes - this.#estimate)
    if (!this.#ended) this.#answer.begin(this.#contentLength)
  }

  #write(piece: Piece): boolean {
    const next = this.#slow ? this.#cutPiece(piece) : piece
    const taken = writeBytes(this.#answer.response, [next.bytes], () => {
      if (this.#ended) return
      this.#forget(next)
      this.#resume()
    })
    if (taken) {
      this.#forget(next)
      return true
    }
    this.#slow = true
    return false
  }

  /** The first part of a piece; the rest comes next. A piece stays in memory until its last part is taken. */
  #cutPiece(piece: Piece): Piece {
    const { bytes } = piece
    if (bytes.length <= SLOW_PIECE_BYTES) return piece
    this.#pieces.push({ ...piece, bytes: bytes.subarray(SLOW_PIECE_BYTES) })
    return { bytes: bytes.subarray(0, SLOW_PIECE_BYTES) }
  }

  /** A piece was taken. */
  #forget({ own }: Piece): void {
    this.#hold.took(own?.length)
    if (own !== undefined) freeBytes(own)
  }

  end(): void {
    if (this.#ended) return
    this.#ended = true
    // The connection may still be writing the latest piece, so that one is left to the garbage collector.
    for (const { own } of this.#pieces) if (own !== undefined) freeBytes(own)
    this.#pieces = []
    this.#hold.release()
  }
}
