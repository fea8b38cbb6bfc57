import type { ServerResponse } from 'node:http'
import type { Position } from '../../records/record.ts'
import { answering, currentQuestion, forNobody } from '../../scheduling/client-question.ts'
import { Pace } from '../../scheduling/pace.ts'
import { Semaphore } from '../../scheduling/semaphore.ts'
import { type ChangeFilter, positionText } from '../answering/shown-entry.ts'
import { OutgoingBytes } from '../sending/outgoing-bytes.ts'
import { writeBytes } from '../sending/write-bytes.ts'
import type { ChangeFeed } from './change-feed.ts'
import { COMMENT_MS, type EventFrames, framesOf, RETRY_LINE } from './event-frames.ts'
import { StreamPace } from './stream-pace.ts'

/** How long a reader may read nothing of the events that it was sent, in milliseconds. */
const STALL_MS = 60_000
/** How many readers may read the store at the same time. Each holds a page of it in memory. */
const READING_STORE_MAX = 8
const PAGE_LIMIT = 500
/** The number of positions whose events are kept for other readers that reach the same position. */
const MAX_KEPT_FRAMES = 16

/** A client that follows the journal over a connection. */
class Reader {
  readonly response: ServerResponse
  readonly filter: ChangeFilter
  /** Readers with the same filter get the same bytes. */
  readonly filterKey: string
  /** The question with which it came: reading the store happens in its name. */
  readonly question = currentQuestion()
  position: Position
  /** Whether it gets entries from the ring. Otherwise it still reads the store. */
  following = false
  /** Whether it has not yet read everything that it was sent. */
  busy = false

  constructor(response: ServerResponse, { filter, position }: { filter: ChangeFilter; position: Position }) {
    this.response = response
    this.filter = filter
    this.filterKey = JSON.stringify([filter.kinds, filter.names, filter.namespaces])
    this.position = position
  }

  get open(): boolean {
    return !this.response.destroyed && !this.response.writableEnded
  }
}

export interface EventStreamsOptions {
  readonly draining: AbortSignal
  readonly outgoing?: OutgoingBytes
  /** How long a reader may read nothing of the events that it was sent, in milliseconds. @default 60_000 */
  readonly stallTimeoutMs?: number
}

/**
 * Server-sent events of the journal for many readers. A reader gets more events when it has read the previous ones. Unread entries stay in
 * the journal, and take no memory of their own. A slow reader loses nothing and delays nobody.
 */
export class EventStreams {
  readonly #feed: ChangeFeed
  readonly #outgoing: OutgoingBytes
  readonly #stallTimeoutMs: number
  readonly #readers = new Set<Reader>()
  /** The readers that may get more events. */
  readonly #behind = new Set<Reader>()
  readonly #readingStore = new Semaphore({ max: READING_STORE_MAX })
  readonly #comments: NodeJS.Timeout
  #distributing = false
  #cut = 0

  constructor(feed: ChangeFeed, { draining, outgoing, stallTimeoutMs = STALL_MS }: EventStreamsOptions) {
    this.#feed = feed
    this.#outgoing = outgoing ?? new OutgoingBytes()
    this.#stallTimeoutMs = stallTimeoutMs
    feed.ring.listen({ grown: () => this.#wakeAll(), replaced: () => this.#endStale() })
    this.#comments = setInterval(() => this.#comment(), COMMENT_MS).unref()
    draining.addEventListener('abort', () => this.#endAll(), { once: true })
  }

  /** How many readers there are. */
  get count(): number {
    return this.#readers.size
  }

  /** How many connections were closed because their readers read too little. */
  get cut(): number {
    return this.#cut
  }

  /**
   * Sends all entries after a position, and new ones as they arrive, until the reader disconnects. The headers of the answer have been sent
   * already.
   *
   * @returns a function that ends the stream
   */
  serve(response: ServerResponse, about: { filter: ChangeFilter; position: Position }): () => void {
    const reader = new Reader(response, about)
    const end = () => {
      if (this.#readers.has(reader)) this.#end(reader)
    }
    // A reader that has already disconnected would be counted for ever, because its `close` event is over.
    if (!reader.open) return end
    this.#readers.add(reader)
    response.on('close', () => this.#readers.delete(reader))
    // The first bytes tell the client that it is connected, and how soon to reconnect.
    response.write(`${RETRY_LINE}: from ${positionText(reader.position)}\n\n`)
    this.#follow(reader)
    return end
  }

  /** From now on the reader gets entries from the ring. */
  #follow(reader: Reader): void {
    reader.following = true
    this.#wake(reader)
  }

  #wakeAll(): void {
    for (const reader of this.#readers) if (reader.following && !reader.busy) this.#behind.add(reader)
    void forNobody(() => this.#distribute())
  }

  #wake(reader: Reader): void {
    this.#behind.add(reader)
    void forNobody(() => this.#distribute())
  }

  /** Sends new entries to all readers, in turns of some milliseconds. It runs once at a time. */
  async #distribute(): Promise<void> {
    if (this.#distributing) return
    this.#distributing = true
    const made = new Map<string, EventFrames>()
    const pace = new Pace()
    for (const reader of this.#behind) {
      this.#behind.delete(reader)
      if (reader.following && !reader.busy && reader.open) this.#advance(reader, made)
      if (pace.due) await pace.turn()
    }
    this.#distributing = false
  }

  #advance(reader: Reader, made: Map<string, EventFrames>): void {
    // The history can change between two turns, and so can what is known about its authors.
    const { lineage, revision } = reader.position
    const key = `${lineage} ${revision} ${this.#feed.unprovenUntil} ${reader.filterKey}`
    let frames = made.get(key)
    if (frames === undefined) {
      const entries = this.#feed.newest(reader.position, PAGE_LIMIT)
      if (entries === undefined) {
        reader.following = false
        void inNameOf(reader, () => this.#readStore(reader))
        return
      }
      frames = framesOf(entries, reader.filter)
      made.set(key, frames)
      const [oldest] = made.keys()
      if (made.size > MAX_KEPT_FRAMES && oldest !== undefined) made.delete(oldest)
    }
    if (frames.last === undefined) return
    void this.#give(reader, frames)
    if (!reader.busy && frames.last.revision !== this.#feed.ring.head?.revision) this.#behind.add(reader)
  }

  /** @returns a promise only if the reader cannot take it at once. It resolves when the reader has taken it, or is gone */
  #give(reader: Reader, { parts, last }: EventFrames): Promise<void> | undefined {
    if (last !== undefined) reader.position = last
    const { promise, resolve } = Promise.withResolvers<void>()
    const { response } = reader
    const chunks = parts.map(({ bytes }) => bytes)
    if (chunks.length === 0 || writeBytes(response, chunks, resolve)) return undefined
    reader.busy = true
    const owner = reader.question?.client ?? ''
    const hold = this.#outgoing.hold(response.req.socket, 0, { shared: parts, owner })
    const stalled = setTimeout(() => this.#cutOff(reader), this.#stallTimeoutMs).unref()
    response.once('close', resolve)
    return promise.then(() => {
      clearTimeout(stalled)
      response.off('close', resolve)
      hold.took()
      hold.release()
      reader.busy = false
      if (reader.following && reader.open) this.#wake(reader)
    })
  }

  /** Sends entries that are no longer in the ring, page by page, as fast as the reader reads. */
  async #readStore(reader: Reader): Promise<void> {
    const pace = new StreamPace(reader.response, this.#stallTimeoutMs)
    const { question } = reader
    try {
      while (reader.open && this.#feed.ring.after(reader.position.revision, 0) === undefined)
        await this.#readingStore.run(() => this.#sendPage(reader, pace), { client: question?.client })
      if (reader.open) this.#follow(reader)
    } catch {
      // The history was replaced, or cannot be read now. The reader reconnects with its position and gets the error.
      this.#end(reader)
    }
  }

  async #sendPage(reader: Reader, pace: StreamPace): Promise<void> {
    if (!reader.open) return
    const { entries } = await this.#feed.after(reader.position, PAGE_LIMIT)
    for (let from = 0; from < entries.length; ) {
      if (!reader.open) return
      const frames = framesOf(entries.slice(from), reader.filter)
      from += frames.count
      const taken = this.#give(reader, frames)
      if (taken !== undefined) await pace.waitFor(taken)
      pace.took(frames.size)
    }
  }

  #cutOff(reader: Reader): void {
    this.#cut += 1
    this.#readers.delete(reader)
    reader.response.destroy()
  }

  #comment(): void {
    for (const { response, busy } of this.#readers) if (!busy) response.write(': still here\n\n')
  }

  /** Sends what is left, and nothing more. Writing to an ended answer would be an error that nobody catches. */
  #end(reader: Reader): void {
    const { response } = reader
    this.#readers.delete(reader)
    response.end()
    const stalled = setTimeout(() => response.destroy(), this.#stallTimeoutMs).unref()
    response.once('close', () => clearTimeout(stalled))
  }

  /** After a reload. Readers of the same history continue from their position. For the others, the position no longer means anything. */
  #endStale(): void {
    for (const reader of this.#readers)
      if (reader.position.lineage !== this.#feed.ring.base?.lineage) this.#end(reader)
    this.#wakeAll()
  }

  #endAll(): void {
    clearInterval(this.#comments)
    for (const reader of this.#readers) this.#end(reader)
  }
}

/** The entries that a reader lacks may be noticed during the request of another client, which must not pay for them. */
function inNameOf<T>({ question }: Reader, work: () => T): T {
  return question === undefined ? forNobody(work) : answering(question, work)
}
