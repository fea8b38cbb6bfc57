import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { SharedBytes } from './body-part.ts'
import { OwnedBytes } from './owned-bytes.ts'

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
/** Further answers of one principal or client wait when it uses this part of the limit, so that it cannot make all others wait. */
const OWNER_SHARE = 0.5

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

/** The principal or client whose share of the memory an answer takes; empty for one without a limit of its own. */
type Owner = string

/** How a wait for room ended. With `room` the bytes are reserved, until `useReserved` or `giveBack`. */
export type RoomOutcome = 'room' | 'gone' | 'late'

/**
 * Counts the bytes that the process keeps for clients that have not read them yet, and limits their sum. Bytes that several answers share
 * count once. An answer without room waits; in the meantime, the connections of clients that read nothing are closed. A client that reads
 * something keeps its answer, however slow it is. One principal or client therefore gets half of the room only.
 */
export class OutgoingBytes {
  readonly #maxBytes: number
  readonly #stalledMs: number
  readonly #roomTimeoutMs: number
  /** The connections. The first one has taken no bytes for the longest time. */
  readonly #clients = new Map<Socket, Client>()
  /** The answers that wait, by their owners. The owner whose turn is next comes first. */
  readonly #queue = new Map<Owner, Set<Waiting>>()
  readonly #owners = new OwnedBytes()
  #bytes = 0
  #waiting = 0
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
    return this.#waiting
  }

  /** How many connections were closed because other answers needed their room. */
  get cut(): number {
    return this.#cut
  }

  /**
   * Whether there is room for more bytes now. While answers wait for room, no later answer gets any. Those that only wait because their owner
   * has enough delay only its own.
   */
  hasRoom(bytes: number, owner: Owner = ''): boolean {
    const isFirst = !this.#queue.has(owner) && this.#nextWaiting() === undefined
    return isFirst && this.#fits(bytes) && this.#fitsOwner(bytes, owner)
  }

  /** Keeps bytes for a connection. It does not check whether there is room: the caller does. */
  hold(
    socket: Socket,
    own: number,
    { shared = [], owner = '' }: { readonly shared?: readonly SharedBytes[]; readonly owner?: Owner } = {},
  ): Hold {
    let client = this.#clients.get(socket)
    if (client === undefined) {
      client = { socket, holds: new Set(), bytes: 0, tookAt: performance.now() }
      this.#clients.set(socket, client)
    }
    const hold = new Hold(this, client, { shared, owner })
    client.holds.add(hold)
    for (const { bytes, holders } of shared) if (holders === 0) this.#bytes += bytes.length
    for (const part of shared) part.holders += 1
    this.#owners.share(owner, shared)
    this.add(hold, own)
    return hold
  }

  /**
   * Keeps the bytes of a written answer until its client has taken it. This costs nothing if the operating system takes all bytes at once,
   * as it nearly always does.
   */
  watch(response: ServerResponse, bytes: number, owner?: Owner): void {
    if (response.writableLength === 0 || response.destroyed) return
    const hold = this.hold(response.req.socket, bytes, owner === undefined ? {} : { owner })
    response.once('close', () => hold.release())
    response.once('finish', () => hold.release())
  }

  /**
   * Waits until there is room for some bytes, and reserves it.
   *
   * @param wish `gone` is aborted when nobody wants them any more
   */
  room(
    bytes: number,
    { gone, owner = '' }: { gone?: AbortSignal; owner?: Owner } = {},
  ): Promise<RoomOutcome> {
    if (gone?.aborted === true) return Promise.resolve('gone')
    if (this.hasRoom(bytes, owner)) {
      this.#reserve(bytes, owner)
      return Promise.resolve('room')
    }
    return new Promise((resolve) => {
      const leave = () => settle('gone')
      const settle = (outcome: RoomOutcome) => {
        clearTimeout(late)
        gone?.removeEventListener('abort', leave)
        this.#leaveQueue(owner, waiting)
        resolve(outcome)
        if (outcome !== 'room') this.#grant()
      }
      const waiting: Waiting = { bytes, settle }
      const late = setTimeout(() => settle('late'), this.#roomTimeoutMs)
      gone?.addEventListener('abort', leave, { once: true })
      const others = this.#queue.get(owner)
      if (others === undefined) this.#queue.set(owner, new Set([waiting]))
      else others.add(waiting)
      this.#waiting += 1
      this.#cutStalled()
      this.#looking ??= setInterval(() => this.#cutStalled(), LOOK_MS).unref()
    })
  }

  #reserve(bytes: number, owner: Owner): void {
    this.#bytes += bytes
    this.#owners.add(owner, bytes)
  }

  #leaveQueue(owner: Owner, waiting: Waiting): void {
    const queued = this.#queue.get(owner)
    if (queued?.delete(waiting) !== true) return
    this.#waiting -= 1
    if (queued.size === 0) this.#queue.delete(owner)
  }

  /** Ends a reservation; `hold` must follow. */
  useReserved(bytes: number, owner: Owner = ''): void {
    this.#reserve(-bytes, owner)
  }

  /** Releases a reservation of `room`. */
  giveBack(bytes: number, owner: Owner = ''): void {
    this.#reserve(-bytes, owner)
    this.#grant()
  }

  /** Called by a `Hold` that keeps more bytes. */
  add(hold: Hold, bytes: number): void {
    const { client } = hold
    if (!client.holds.has(hold)) return
    hold.own += bytes
    client.bytes += bytes
    this.#reserve(bytes, hold.owner)
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
    this.#owners.unshare(hold.owner, shared)
    this.#remove(hold, hold.own)
    if (client.holds.size === 0) this.#clients.delete(client.socket)
    this.#grant()
  }

  #remove(hold: Hold, bytes: number): void {
    hold.own -= bytes
    hold.client.bytes -= bytes
    this.#reserve(-bytes, hold.owner)
  }

  /** An answer that is larger than the limit has room if nothing else is kept. */
  #fits(bytes: number): boolean {
    return this.#bytes + Math.min(bytes, this.#maxBytes) <= this.#maxBytes
  }

  #fitsOwner(bytes: number, owner: Owner): boolean {
    if (owner === '') return true
    const most = this.#maxBytes * OWNER_SHARE
    return this.#owners.bytesOf(owner) + Math.min(bytes, most) <= most
  }

  /** The next answer that waits for room, and not only because its owner has enough. */
  #nextWaiting(): { readonly owner: Owner; readonly waiting: Waiting } | undefined {
    for (const [owner, [waiting]] of this.#queue)
      if (waiting !== undefined && this.#fitsOwner(waiting.bytes, owner)) return { owner, waiting }
    return undefined
  }

  #grant(): void {
    for (let next = this.#nextWaiting(); next !== undefined; next = this.#nextWaiting()) {
      const { owner, waiting } = next
      if (!this.#fits(waiting.bytes)) break
      this.#reserve(waiting.bytes, owner)
      waiting.settle('room')
      const others = this.#queue.get(owner)
      if (others === undefined) continue
      // Now it is the turn of the next owner.
      this.#queue.delete(owner)
      this.#queue.set(owner, others)
    }
    if (this.#waiting > 0 || this.#looking === undefined) return
    clearInterval(this.#looking)
    this.#looking = undefined
  }

  #cutStalled(): void {
    const before = performance.now() - this.#stalledMs
    for (const client of this.#clients.values()) {
      if (client.tookAt > before || this.#waiting === 0) return
      const next = this.#nextWaiting()?.waiting
      const helpsNext = next !== undefined && !this.#fits(next.bytes)
      // Somebody whose own stalled answers take its share gets room only from them.
      if (helpsNext || [...client.holds].some(({ owner }) => this.#queue.has(owner))) this.#cutOff(client)
    }
  }

  /**
   * When the reserve is used up, the connections that have taken nothing for longest are closed first, and before all others those of
   * principals and clients that have more than their share.
   */
  #makeRoom(): void {
    const [first] = this.#clients.values()
    if (first === undefined || this.#bytes <= this.#mostBeside(first)) return
    const greedy = [...this.#clients.values()].filter(({ holds }) =>
      [...holds].some(({ owner }) => !this.#fitsOwner(0, owner)),
    )
    this.#cutUntilRoom(greedy)
    this.#cutUntilRoom(this.#clients.values())
  }

  #cutUntilRoom(clients: Iterable<Client>): void {
    for (const client of clients) {
      // An answer larger than the limit was accepted because nothing else is kept.
      if (this.#clients.size === 1 && client.holds.size === 1) return
      if (this.#bytes <= this.#mostBeside(client)) return
      this.#cutOff(client)
    }
  }

  /** Up to how many bytes a connection need not be closed. */
  #mostBeside({ tookAt }: Client): number {
    const isStalled = tookAt <= performance.now() - this.#stalledMs
    return isStalled ? this.#maxBytes : this.#maxBytes * (1 + RESERVE_SHARE)
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
  readonly owner: Owner
  /** Bytes that no other answer shares. */
  own = 0

  constructor(
    outgoing: OutgoingBytes,
    client: Client,
    { shared, owner }: { readonly shared: readonly SharedBytes[]; readonly owner: Owner },
  ) {
    this.#outgoing = outgoing
    this.client = client
    this.shared = shared
    this.owner = owner
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
