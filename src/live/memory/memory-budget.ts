import { setTimeout as pause } from 'node:timers/promises'
import { within } from '../../scheduling/backoff.ts'
import { type Heap, ProcessHeap } from './process-heap.ts'

/**
 * - `free`: there is room.
 * - `full`: writes that need memory are refused.
 * - `exhausted`: changes of other coordinators are not loaded either.
 */
export type MemoryState = 'free' | 'full' | 'exhausted'

export const memoryStates = ['free', 'full', 'exhausted'] as const satisfies readonly MemoryState[]

/**
 * How much must be free when a state begins and when it ends, as parts of the limit. Between the two bounds the state stays as it is. If
 * the smallest part is less than `workBytes`, all bounds are lower by the difference.
 */
const freeParts = {
  full: { from: 0.15, below: 0.2 },
  exhausted: { from: 0.05, below: 0.1 },
} as const

/** An estimate that differs by less than this part of the limit is not worth a collection. */
const toleratedPart = 0.01
/** How long a caller waits for a collection, in milliseconds. */
const collectionTimeoutMs = 5_000
/**
 * The shortest pause between two requested collections: in milliseconds, and as a multiple of the duration of the first one. Near the
 * bound, every write requests a collection.
 */
const collectionPause = { ms: 100, times: 4 }
/** The pauses between two looks for room while there is too little, in milliseconds: after something was freed, and otherwise. */
const [recheckMs, restingRecheckMs] = [2_000, 30_000]

/**
 * Knows how much of the heap is in use: what the last major collection left, plus an estimate of what was kept since. Garbage is no reason
 * to refuse anything. Before something is refused, a collection shows how much is really in use.
 */
export class MemoryBudget {
  readonly #heap: Heap
  /** This many bytes are subtracted from every bound, so that work in progress has room in a small heap. See `freeParts`. */
  readonly #missingBytes: number
  readonly #listeners = new Set<(state: MemoryState) => void>()
  #state: MemoryState = 'free'
  #afterCollection: number
  /** An estimate of the bytes that were kept since the last collection. */
  #grown = 0
  /** The bytes that did not fit when the memory was exhausted. The state ends only when they fit, because the journal arrives in order. */
  #wanted = 0
  /** Whether something was released since the last collection. */
  #shrunk = false
  /** The bytes of work in progress. */
  #held = 0
  #collecting: Promise<unknown> | undefined
  /** The earliest time of the next collection, by `performance.now()`. */
  #nextCollection = 0
  #lastCheck = performance.now()
  #ends: (() => void) | undefined

  constructor(heap: Heap) {
    this.#heap = heap
    const { limitBytes, workBytes = 0 } = heap
    this.#missingBytes = Math.max(0, workBytes - limitBytes * freeParts.exhausted.from)
    this.#afterCollection = heap.usedBytes
  }

  get state(): MemoryState {
    return this.#state
  }

  get limitBytes(): number {
    return this.#heap.limitBytes
  }

  /** The number of bytes from which the memory counts as full, or as exhausted. */
  boundOf(state: 'full' | 'exhausted', edge: 'from' | 'below' = 'from'): number {
    return this.limitBytes * (1 - freeParts[state][edge]) - this.#missingBytes
  }

  /** An estimate of the bytes that are needed. At most the bytes in the heap, which include garbage. */
  get usedBytes(): number {
    return Math.min(this.#heap.usedBytes, this.#afterCollection + this.#grown)
  }

  /** Calls back at each change of the state, until the returned function is called. */
  watch(listener: (state: MemoryState) => void): () => void {
    this.#listeners.add(listener)
    this.#ends ??= this.#begin()
    return () => {
      this.#listeners.delete(listener)
      if (this.#listeners.size > 0) return
      this.#ends?.()
      this.#ends = undefined
    }
  }

  /** Counts bytes that are kept from now on. */
  grew(bytes: number): void {
    this.#grown += bytes
  }

  /** Tells the budget that something was released, so the next collection may find room. */
  shrank(): void {
    this.#shrunk = true
  }

  /** Counts the bytes of work that begins. The caller releases them at its end. */
  hold(bytes: number): void {
    this.#held += bytes
  }

  release(bytes: number): void {
    this.#held -= bytes
  }

  /** Counts the bytes of some work while it runs. */
  holding<T>(bytes: number, work: () => Promise<T>): Promise<T> {
    this.hold(bytes)
    return work().finally(() => this.release(bytes))
  }

  /** Whether there is room for more bytes, as far as the budget knows without a collection. */
  hasRoom(bytes: number, before: 'full' | 'exhausted'): boolean {
    const limit = this.boundOf(before)
    const known = this.#afterCollection + this.#grown
    // Reading the state of the heap costs more than a small commit.
    return known + this.#held + bytes <= limit || this.usedBytes + this.#held + bytes <= limit
  }

  /** Whether there is room for more bytes. If there seems to be none, a collection finds out. */
  async findRoom(bytes: number, before: 'full' | 'exhausted'): Promise<boolean> {
    if (this.hasRoom(bytes, before)) return true
    // Work that waits for the collection takes memory too.
    if (this.#isStale()) await this.holding(bytes, () => this.collected())
    return this.hasRoom(bytes, before)
  }

  /** Does the same as `findRoom`, and holds the bytes if there is room for them. If there is none, the state changes. */
  async claimRoom(bytes: number, before: 'full' | 'exhausted'): Promise<boolean> {
    await this.findRoom(bytes, before)
    // Checks again and holds the bytes at once: others that waited for the same collection must not find the same room.
    if (this.hasRoom(bytes, before)) {
      this.hold(bytes)
      return true
    }
    this.#miss(bytes, before)
    return false
  }

  /**
   * Does the same as `claimRoom`, and holds nothing: for bytes that are counted at once if there is room, and that several may bring, such
   * as entries that come with a reply and with a poll.
   */
  async confirmRoom(bytes: number, before: 'full' | 'exhausted'): Promise<boolean> {
    if (await this.findRoom(bytes, before)) return true
    this.#miss(bytes, before)
    return false
  }

  /** Changes the state, because there is no room for some bytes. */
  #miss(bytes: number, before: 'full' | 'exhausted'): void {
    // Work in progress releases its bytes by itself, so it does not make the memory full.
    const isUsed = this.usedBytes + bytes > this.boundOf(before)
    if (isUsed && this.#state !== 'exhausted') {
      if (before === 'exhausted') this.#wanted = bytes
      this.#enter(before)
    }
  }

  /** Waits for the end of a major collection that begins after this call, or a short time after the previous one; at most some seconds. */
  async collected(): Promise<void> {
    this.#shrunk = false
    await this.#collecting
    this.#collecting ??= within(collectionTimeoutMs, this.#collect())
    await this.#collecting
  }

  async #collect(): Promise<void> {
    const waitMs = this.#nextCollection - performance.now()
    if (waitMs > 0) await pause(waitMs)
    const began = performance.now()
    // If no collection was possible, the last figures remain valid.
    await this.#heap.collect().then(
      () => this.#count(),
      () => undefined,
    )
    const ended = performance.now()
    this.#nextCollection = ended + Math.max(collectionPause.ms, (ended - began) * collectionPause.times)
    this.#collecting = undefined
  }

  #begin(): () => void {
    const forget = this.#heap.onCollected(() => this.#count())
    const timer = setInterval(() => this.#recheck(), recheckMs / 4).unref()
    return () => {
      forget()
      clearInterval(timer)
    }
  }

  #count(): void {
    this.#afterCollection = this.#heap.usedBytes
    this.#grown = 0
    this.#enter(this.#judge(this.usedBytes))
  }

  #judge(usedBytes: number): MemoryState {
    const wasExhausted = this.#state === 'exhausted'
    if (usedBytes >= this.boundOf('exhausted', wasExhausted ? 'below' : 'from')) return 'exhausted'
    if (wasExhausted && usedBytes + this.#wanted > this.boundOf('exhausted')) return 'exhausted'
    return usedBytes >= this.boundOf('full', this.#state === 'free' ? 'from' : 'below') ? 'full' : 'free'
  }

  #isStale(): boolean {
    return this.#shrunk || this.usedBytes - this.#afterCollection > toleratedPart * this.limitBytes
  }

  /** An idle V8 collects no garbage. Without this check, the budget would never notice that there is room again. */
  #recheck(): void {
    if (this.#state === 'free') return
    const now = performance.now()
    if (now - this.#lastCheck < (this.#isStale() ? recheckMs : restingRecheckMs)) return
    this.#lastCheck = now
    void this.collected()
  }

  #enter(state: MemoryState): void {
    if (state === this.#state) return
    if (state !== 'exhausted') this.#wanted = 0
    this.#state = state
    this.#lastCheck = performance.now()
    for (const listener of this.#listeners) listener(state)
  }
}

let ofProcess: MemoryBudget | undefined

/** The budget of this process. Everything that runs in the process shares one heap. */
export function processMemory(): MemoryBudget {
  ofProcess ??= new MemoryBudget(new ProcessHeap())
  return ofProcess
}
