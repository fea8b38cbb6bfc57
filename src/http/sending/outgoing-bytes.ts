import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { SharedBytes } from './body-part.ts'

/** How long a client may read nothing before its connection is closed to make room for others, in milliseconds. */
const STALLED_MS = 5_000
/** How long an answer may wait for room before it is refused, in milliseconds. */
const ROOM_TIMEOUT_MS = 10_000
/** How often stalled clients are searched for while an answer waits for room, in milliseconds. */
const LOOK_MS = 250
/** An answer that cannot wait for room, such as that to a write, may exceed the limit by this part of it. */
const RESERVE_SHARE = 0.25
/** A connection that uses more than this part of the limit is closed: its client sends requests and reads no answers. */
const CONNECTION_SHARE = 0.25

export interface OutgoingOptions {
  /** @default 67_108_864 */
  readonly maxBytes?: number
  /** @default 5_000 (milliseconds) */
  readonly stalledMs?: number
  /** @default 10_000 (milliseconds) */
  readonly roomTimeoutMs?: number
}

/** The bytes that one connection has not taken yet. */
interface Client {
  readonly socket: Socket
  readonly holds: Set<Hold>
  bytes: number
  /** When it last took something, by `performance.now()`. */
  tookAt: number
}

interface Waiting {
  readonly bytes: number
  readonly settle: (outcome: RoomOutcome) => void
}

/** How a wait for room ended. With `room` the bytes are reserved, until `useReserved` or `giveBack`. */
export type RoomOutcome = 'room' | 'gone' | 'late'

/**
 * Counts the bytes that the process keeps for clients that have not read them yet, and limits their sum. Bytes that several answers share
 * count once. An answer without room waits; in the meantime, the connections of clients that read nothing are closed. A client that reads
 * something keeps its answer, however slow it is.
 */
export class OutgoingBytes {
  readonly #maxBytes: number
  readonly #stalledMs: number
  readonly #roomTimeoutMs: number
  /** The connections. The first one has taken no bytes for the longest time. */
  readonly #clients = new Map<Socket, Client>()
  readonly #queue = new Set<Waiting>()
  #bytes = 0
  #cut = 0
  #looking: NodeJS.Timeout | undefined

  constructor({
    maxBytes = 67_108_864,
    stalledMs = STALLED_MS,
    roomTimeoutMs = ROOM_TIMEOUT_MS,
  }: OutgoingOptions = {}) {
    this.#maxBytes = maxBytes
    this.#stalledMs = stalledMs
    this.#roomTimeoutMs = roomTimeoutMs
  }

  get bytes(): number {
    return this.#bytes
  }

  /** How many answers wait for room. */
  get waiting(): number {
    return this.#queue.size
  }

  /** How many connections were closed because other answers needed their room. */
  get cut(): number {
    return this.#cut
  }

  /** Whether there is room for more bytes now. While answers wait for room, no later answer gets any. */
  hasRoom(bytes: number): boolean {
    return this.#queue.size === 0 && this.#fits(bytes)
  }

  /** Keeps bytes for a connection. It does not check whether there is room: the caller does. */
  hold(socket: Socket, own: number, shared: readonly SharedBytes[] = []): Hold {
    let client = this.#clients.get(socket)
    if (client === undefined) {
      client = { socket, holds: new Set(), bytes: 0, tookAt: performance.now() }
      this.#clients.set(socket, client)
    }
    const hold = new Hold(this, client, shared)
    client.holds.add(hold)
    for (const { bytes, holders } of shared) if (holders === 0) this.#bytes += bytes.length
    for (const part of shared) part.holders += 1
    this.add(hold, own)
    return hold
  }

  /**
   * Keeps the bytes of a written answer until its client has taken it. This costs nothing if the operating system takes all bytes at once,
   * as it nearly always does.
   */
  watch(response: ServerResponse, bytes: number): void {
    if (response.writableLength === 0 || response.destroyed) return
    const hold = this.hold(response.req.socket, bytes)
    response.once('close', () => hold.release())
    response.once('finish', () => hold.release())
  }

  /**
   * Waits until there is room for some bytes, and reserves it.
   *
   * @param gone aborted when nobody wants them any more
   */
  room(bytes: number, gone?: AbortSignal): Promise<RoomOutcome> {
    if (gone?.aborted === true) return Promise.resolve('gone')
    if (this.hasRoom(bytes)) {
      this.#bytes += bytes
      return Promise.resolve('room')
    }
    return new Promise((resolve) => {
      const leave = () => settle('gone')
      const settle = (outcome: RoomOutcome) => {
        clearTimeout(late)
        gone?.removeEventListener('abort', leave)
        this.#queue.delete(waiting)
        resolve(outcome)
        if (outcome !== 'room') this.#grant()
      }
      const waiting: Waiting = { bytes, settle }
      const late = setTimeout(() => settle('late'), this.#roomTimeoutMs)
      gone?.addEventListener('abort', leave, { once: true })
      this.#queue.add(waiting)
      this.#cutStalled()
      this.#looking ??= setInterval(() => this.#cutStalled(), LOOK_MS).unref()
    })
  }

  /** Ends a reservation; `hold` must follow. */
  useReserved(bytes: number): void {
    this.#bytes -= bytes
  }

  /** Releases a reservation of `room`. */
  giveBack(bytes: number): void {
    this.#bytes -= bytes
    this.#grant()
  }

  /** Called by a `Hold` that keeps more bytes. */
  add(hold: Hold, bytes: number): void {
    const { client } = hold
    if (!client.holds.has(hold)) return
    hold.own += bytes
    client.bytes += bytes
    this.#bytes += bytes
    if (client.bytes > this.#maxBytes * CONNECTION_SHARE && client.holds.size > 1) this.#cutOff(client)
    else if (this.#bytes > this.#maxBytes) this.#makeRoom()
  }

  /** Called by a `Hold` when its connection has taken bytes. */
  took(hold: Hold, bytes: number): void {
    const { client } = hold
    if (!client.holds.has(hold)) return
    client.tookAt = performance.now()
    if (this.#clients.delete(client.socket)) this.#clients.set(client.socket, client)
    this.#remove(hold, bytes)
    this.#grant()
  }

  /** Called by a `Hold` when all its bytes were taken, or when nobody will take them. */
  release(hold: Hold): void {
    const { client, shared } = hold
    if (!client.holds.delete(hold)) return
    for (const part of shared) {
      part.holders -= 1
      if (part.holders === 0) this.#bytes -= part.bytes.length
    }
    this.#remove(hold, hold.own)
    if (client.holds.size === 0) this.#clients.delete(client.socket)
    this.#grant()
  }

  #remove(hold: Hold, bytes: number): void {
    hold.own -= bytes
    hold.client.bytes -= bytes
    this.#bytes -= bytes
  }

  /** An answer that is larger than the limit has room if nothing else is kept. */
  #fits(bytes: number): boolean {
    return this.#bytes + Math.min(bytes, this.#maxBytes) <= this.#maxBytes
  }

  #grant(): void {
    for (const waiting of this.#queue) {
      if (!this.#fits(waiting.bytes)) break
      this.#bytes += waiting.bytes
      waiting.settle('room')
    }
    if (this.#queue.size > 0 || this.#looking === undefined) return
    clearInterval(this.#looking)
    this.#looking = undefined
  }

  #cutStalled(): void {
    const before = performance.now() - this.#stalledMs
    for (const client of this.#clients.values()) {
      const [next] = this.#queue
      if (client.tookAt > before || next === undefined || this.#fits(next.bytes)) return
      this.#cutOff(client)
    }
  }

  /** When the reserve is used up, the connections that have taken nothing for longest are closed first. */
  #makeRoom(): void {
    const before = performance.now() - this.#stalledMs
    for (const client of this.#clients.values()) {
      // An answer larger than the limit was accepted because nothing else is kept.
      if (this.#clients.size === 1 && client.holds.size === 1) return
      const most = client.tookAt > before ? this.#maxBytes * (1 + RESERVE_SHARE) : this.#maxBytes
      if (this.#bytes <= most) return
      this.#cutOff(client)
    }
  }

  #cutOff(client: Client): void {
    this.#cut += 1
    for (const hold of client.holds) hold.release()
    client.socket.destroy()
  }
}

/** The bytes that are kept for one answer, or for the unread part of a stream. */
export class Hold {
  readonly #outgoing: OutgoingBytes
  readonly client: Client
  readonly shared: readonly SharedBytes[]
  /** Bytes that no other answer shares. */
  own = 0

  constructor(outgoing: OutgoingBytes, client: Client, shared: readonly SharedBytes[]) {
    this.#outgoing = outgoing
    this.client = client
    this.shared = shared
  }

  /** The client has taken something. `bytes`: how many unshared bytes are therefore no longer kept. */
  took(bytes = 0): void {
    this.#outgoing.took(this, Math.min(bytes, this.own))
  }

  /** Counts bytes that were not expected when the hold began. */
  add(bytes: number): void {
    this.#outgoing.add(this, bytes)
  }

  /** Called when all bytes were taken, or when nobody will take them. May be called again. */
  release(): void {
    this.#outgoing.release(this)
  }
}
