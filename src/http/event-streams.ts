import type { ServerResponse } from 'node:http'
import type { Position } from '../records/record.ts'
import type { ChangeFeed } from './change-feed.ts'
import { type ChangeFilter, positionText, type ShownEntry } from './shown-entry.ts'

/** A reader with more than this unsent is cut off, in bytes: it comes back with the last id that it has seen. */
const MAX_UNSENT_BYTES = 262_144
/** What a reader that catches up is given at once, in bytes, before it has to take that. */
const CATCH_UP_BYTES = 65_536
/** How often a comment shows that the connection lives, in milliseconds. */
const COMMENT_MS = 15_000
/** How long a reader may take nothing while it catches up, or of what is left at its end, in milliseconds. */
const STALL_MS = 60_000
/** Readers that are written to before others get their turn: some milliseconds. */
const READERS_AT_ONCE = 250
const PAGE_LIMIT = 500

/** Somebody who follows the journal over a connection. */
class Reader {
  readonly response: ServerResponse
  readonly filter: ChangeFilter
  /** Readers with the same filter get the same bytes. */
  readonly filterKey: string
  position: Position
  /** Whether it gets what comes, or still has to catch up. */
  following = false

  constructor(response: ServerResponse, { filter, position }: { filter: ChangeFilter; position: Position }) {
    this.response = response
    this.filter = filter
    this.filterKey = JSON.stringify([filter.kinds, filter.names])
    this.position = position
  }

  get open(): boolean {
    return !this.response.destroyed && !this.response.writableEnded
  }
}

/**
 * Server-sent events of the journal for many readers. Each entry becomes text once, and the bytes for all readers that are
 * at the same position are made once; nobody waits for a slow one.
 */
export class EventStreams {
  readonly #feed: ChangeFeed
  readonly #readers = new Set<Reader>()
  readonly #comments: NodeJS.Timeout
  #distributing = false
  #again = false
  #cut = 0

  constructor(feed: ChangeFeed, draining: AbortSignal) {
    this.#feed = feed
    feed.ring.listen({ grown: () => void this.#distribute(), replaced: () => this.#endStale() })
    this.#comments = setInterval(() => this.#comment(), COMMENT_MS).unref()
    draining.addEventListener('abort', () => this.#endAll(), { once: true })
  }

  /** How many readers there are. */
  get count(): number {
    return this.#readers.size
  }

  /** How many readers were cut off because they took too little. */
  get cut(): number {
    return this.#cut
  }

  /**
   * Sends all that was committed after a position, and what comes, until the reader goes. The head of the answer has been
   * sent already.
   */
  async serve(response: ServerResponse, about: { filter: ChangeFilter; position: Position }): Promise<void> {
    const reader = new Reader(response, about)
    // Who went before this gets nothing, and would be counted for ever: its end was told already.
    if (!reader.open) return
    this.#readers.add(reader)
    response.on('close', () => this.#readers.delete(reader))
    // The first bytes tell the client that it is connected, and how soon to come back.
    response.write(`retry: 1000\n: from ${positionText(reader.position)}\n\n`)
    await this.#catchUp(reader)
  }

  /** Sends what the ring does not have any more, page by page, as fast as the reader takes it. */
  async #catchUp(reader: Reader): Promise<void> {
    try {
      while (reader.open) {
        const { entries } = await this.#feed.after(reader.position, PAGE_LIMIT)
        if (entries.length === 0) {
          reader.following = true
          // Something may have come between the question and this.
          if (this.#feed.ring.after(reader.position.revision)?.length !== 0) void this.#distribute()
          return
        }
        for (const frames of paced(entries, reader)) {
          if (!reader.open) return
          this.#send(reader, frames)
          if (reader.response.writableNeedDrain) await drained(reader.response)
        }
      }
    } catch {
      // The history went another way, or cannot be read now. The reader comes back with its position and is told.
      this.#end(reader)
    }
  }

  /** Gives everybody what is new. Runs once at a time; what comes meanwhile starts it again. */
  async #distribute(): Promise<void> {
    if (this.#distributing) {
      this.#again = true
      return
    }
    this.#distributing = true
    do {
      this.#again = false
      const made = new Map<string, Frames>()
      let served = 0
      for (const reader of this.#readers) {
        if (!reader.following || !reader.open) continue
        this.#advance(reader, made)
        served += 1
        if (served % READERS_AT_ONCE === 0) await new Promise((resolve) => setImmediate(resolve))
      }
    } while (this.#again)
    this.#distributing = false
  }

  #advance(reader: Reader, made: Map<string, Frames>): void {
    // With the history: while others get their turn, that can change under this.
    const { lineage, revision } = reader.position
    const key = `${lineage} ${revision} ${reader.filterKey}`
    let frames = made.get(key)
    if (frames === undefined) {
      const entries = this.#feed.newest(reader.position)
      frames = entries === undefined ? undefined : framesOf(entries, reader)
      if (frames !== undefined) made.set(key, frames)
    }
    if (reader.response.writableLength > MAX_UNSENT_BYTES) return this.#cutOff(reader)
    if (frames !== undefined && frames.bytes.length <= MAX_UNSENT_BYTES) return this.#send(reader, frames)
    // More came at once than the ring holds, or than any connection takes at once: that is not the reader's fault.
    reader.following = false
    void this.#catchUp(reader)
  }

  #send(reader: Reader, { bytes, last }: Frames): void {
    if (last === undefined || !reader.open) return
    reader.position = last
    if (bytes.length > 0) reader.response.write(bytes)
  }

  #cutOff(reader: Reader): void {
    this.#cut += 1
    this.#readers.delete(reader)
    reader.response.destroy()
  }

  #comment(): void {
    for (const { response } of this.#readers)
      if (response.writableLength < MAX_UNSENT_BYTES) response.write(': still here\n\n')
  }

  /** Sends what is left, and nothing more: what is written to an ended answer is an error that nobody would catch. */
  #end(reader: Reader): void {
    const { response } = reader
    this.#readers.delete(reader)
    response.end()
    const stalled = setTimeout(() => response.destroy(), STALL_MS).unref()
    response.once('close', () => clearTimeout(stalled))
  }

  /** After a reload: those of the same history go on from their position; to the others it means nothing any more. */
  #endStale(): void {
    for (const reader of this.#readers) {
      if (reader.position.lineage !== this.#feed.ring.base?.lineage) this.#end(reader)
      else if (reader.following) {
        reader.following = false
        void this.#catchUp(reader)
      }
    }
  }

  #endAll(): void {
    clearInterval(this.#comments)
    for (const reader of this.#readers) this.#end(reader)
  }
}

/** What readers at one position with one filter get. */
interface Frames {
  readonly bytes: Buffer
  /** Where they are then; absent where nothing is new. */
  readonly last: Position | undefined
}

function framesOf(entries: readonly ShownEntry[], { filter }: Reader): Frames {
  let text = ''
  let skipped: ShownEntry | undefined
  for (const entry of entries) {
    const wanted = entry.isWanted(filter)
    skipped = wanted ? undefined : entry
    if (wanted) text += `id: ${positionText(entry.position)}\nevent: change\ndata: ${entry.json}\n\n`
  }
  // An id alone moves the client's position on, so that it does not come back to what it did not want.
  if (skipped !== undefined) text += `id: ${positionText(skipped.position)}\n\n`
  return { bytes: Buffer.from(text), last: entries.at(-1)?.position }
}

/** The same in pieces that a connection can be given one after the other. */
function* paced(entries: readonly ShownEntry[], reader: Reader): Generator<Frames> {
  let piece: ShownEntry[] = []
  let size = 0
  for (const entry of entries) {
    piece.push(entry)
    size += entry.json.length
    if (size < CATCH_UP_BYTES) continue
    yield framesOf(piece, reader)
    piece = []
    size = 0
  }
  if (piece.length > 0) yield framesOf(piece, reader)
}

/** Waits until a connection has taken what it was given; ends it where it takes nothing for long. */
async function drained(response: ServerResponse): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const stalled = setTimeout(() => response.destroy(), STALL_MS).unref()
  response.once('drain', resolve)
  response.once('close', resolve)
  await promise
  clearTimeout(stalled)
  response.off('drain', resolve)
  response.off('close', resolve)
}
