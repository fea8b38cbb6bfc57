import { CoordinatorError } from '../../errors.ts'
import type { MemoryBudget } from '../../live/memory/memory-budget.ts'

/** What a stream or a waiting request keeps, in bytes: 9 to 14 KB, and more with long headers. */
const STREAM_BYTES = 16_384
/**
 * How much stays free below the bound at which the coordinator stops following the journal, in bytes. A change wakes all waiting requests at
 * once, and their answers take memory, too.
 */
const STREAMS_KEEP_FREE = 6 * 1_048_576
/** What an idle connection keeps, in bytes. */
const CONNECTION_BYTES = 4_096
/**
 * How much of the memory for work in progress connections may take, in bytes. A coordinator whose records fill its memory must still answer,
 * and tell its health.
 */
const CONNECTIONS_MAY_TAKE = 6 * 1_048_576
/** The estimates may be too high. A client that comes again then finds what a collection has found. */
const RETRY_AFTER_SECONDS = 5

/**
 * The memory of connections, and of the streams and waiting requests on them. Each takes little, but ten thousand of them take more than a
 * small heap has, and clients may keep them for as long as they want.
 */
export class ConnectionMemory {
  readonly #memory: MemoryBudget

  constructor(memory: MemoryBudget) {
    this.#memory = memory
  }

  /** Counts one more connection, if there is room for it. @returns whether there is */
  takeConnection(): boolean {
    if (!this.#memory.hasRoom(CONNECTION_BYTES - CONNECTIONS_MAY_TAKE, 'exhausted')) return this.#refused()
    this.#memory.grew(CONNECTION_BYTES)
    return true
  }

  /**
   * Counts one more stream or waiting request.
   *
   * @throws COORD_STREAMS_FULL
   */
  takeStream(): void {
    if (!this.#memory.hasRoom(STREAM_BYTES + STREAMS_KEEP_FREE, 'exhausted')) {
      this.#refused()
      throw new CoordinatorError('COORD_STREAMS_FULL', { retryAfterSeconds: RETRY_AFTER_SECONDS })
    }
    this.#memory.grew(STREAM_BYTES)
  }

  #refused(): false {
    this.#memory.shrank()
    void this.#memory.collected()
    return false
  }
}
