import type { Store } from '../../database/store.ts'
import type { CoordinatorError } from '../../errors.ts'
import type { MemoryBudget } from '../memory/memory-budget.ts'
import { heapTooSmall, recordsTooLarge } from '../memory/memory-faults.ts'
import { type LoadedView, loadView } from './load-view.ts'
import type { Domain } from './projection.ts'

/** The pause after a load that did not fit into memory, in milliseconds. Each load reads everything. */
const tooLargePauseMs = 30_000

/** What the loader needs from the rest of the live layer. */
export interface LoaderPort {
  readonly store: Store
  readonly domain: Domain
  readonly memory: MemoryBudget
  /** Drops the view that is served. @returns whether there was one */
  drop(): boolean
  /** The records do not fit into memory. */
  failed(error: CoordinatorError): void
}

/** Builds views if there is memory for them. */
export class ViewLoader {
  readonly #port: LoaderPort
  #loadedRecords = 0
  /** Bytes in use before the first load. */
  #baseBytes: number | undefined
  #tooLarge: { readonly error: CoordinatorError; readonly notBefore: number } | undefined

  constructor(port: LoaderPort) {
    this.#port = port
  }

  /** How many records of the last load have arrived. */
  get loadedRecords(): number {
    return this.#loadedRecords
  }

  /** The error of the last load if it did not fit into memory. */
  get tooLarge(): CoordinatorError | undefined {
    return this.#tooLarge?.error
  }

  /**
   * Builds a view. If there is no room for both, the served view is dropped, because only the new one is right.
   *
   * @throws COORD_MEMORY_EXCEEDED, and what `loadView` throws
   */
  async load(): Promise<LoadedView> {
    const { store, domain, memory, failed } = this.#port
    if (this.#tooLarge !== undefined && performance.now() < this.#tooLarge.notBefore)
      throw this.#tooLarge.error
    this.#loadedRecords = 0
    const baseBytes = await this.#measureBase()
    const loaded = await loadView(store, domain, {
      arrived: (records) => {
        this.#loadedRecords = records
      },
      hasRoom: async (bytes) => {
        const hasRoom = memory.hasRoom(bytes, 'exhausted') || (await this.#findRoom(bytes))
        if (hasRoom) memory.grew(bytes)
        return hasRoom
      },
      tooLarge: (part) => {
        memory.shrank()
        const error = recordsTooLarge(part, { memory, baseBytes })
        this.#tooLarge = { error, notBefore: performance.now() + tooLargePauseMs }
        failed(error)
        return error
      },
    })
    this.#tooLarge = undefined
    return loaded
  }

  /** @throws COORD_MEMORY_EXCEEDED where the program itself does not fit */
  async #measureBase(): Promise<number> {
    const { memory } = this.#port
    if (this.#baseBytes === undefined && !(await memory.findRoom(0, 'exhausted'))) throw heapTooSmall(memory)
    this.#baseBytes ??= memory.usedBytes
    return this.#baseBytes
  }

  async #findRoom(bytes: number): Promise<boolean> {
    const { memory, drop } = this.#port
    if (await memory.findRoom(bytes, 'exhausted')) return true
    if (!drop()) return false
    memory.shrank()
    return memory.findRoom(bytes, 'exhausted')
  }
}
