import { setImmediate as turn } from 'node:timers/promises'
import type { CoordinatorError } from '../../errors.ts'
import { keptBytes } from '../memory/kept-bytes.ts'
import { exhausted, heapTooSmall, recordsTooLarge } from '../memory/memory-faults.ts'
import type { StartSnapshot } from '../state/start-snapshot.ts'
import type { LiveContext } from './live-context.ts'
import { type LoadedView, loadView } from './load-view.ts'
import type { Domain } from './projection.ts'
import { View } from './view.ts'

/** The pause after a load that did not fit into memory, in milliseconds. Each load reads everything. */
const tooLargePauseMs = 30_000

/** Builds views if there is memory for them. */
export class ViewLoader {
  readonly #context: LiveContext
  readonly #domain: Domain
  #loadedRecords = 0
  #foundNewer = false
  /** Bytes in use before the first load. */
  #baseBytes: number | undefined
  #tooLarge: { readonly error: CoordinatorError; readonly notBefore: number } | undefined

  constructor(context: LiveContext, domain: Domain) {
    this.#context = context
    this.#domain = domain
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
   * @param dropServed returns whether there was a view to drop
   * @throws COORD_MEMORY_EXCEEDED, and what `loadView` throws
   */
  async load(dropServed: () => boolean): Promise<LoadedView> {
    const { store, memory, board } = this.#context
    if (this.#tooLarge !== undefined && performance.now() < this.#tooLarge.notBefore)
      throw this.#tooLarge.error
    this.#loadedRecords = 0
    const baseBytes = await this.#measureBase()
    const loaded = await loadView(store, this.#domain, {
      arrived: (records) => {
        this.#loadedRecords = records
      },
      foundNewer: () => {
        const before = this.#foundNewer
        this.#foundNewer = true
        return before
      },
      room: {
        take: async (bytes) => {
          const hasRoom = memory.hasRoom(bytes, 'exhausted') || (await this.#findRoom(bytes, dropServed))
          if (hasRoom) memory.grew(bytes)
          return hasRoom
        },
        tooLarge: (part) => {
          memory.shrank()
          const error = recordsTooLarge(part, { memory, baseBytes })
          this.#tooLarge = { error, notBefore: performance.now() + tooLargePauseMs }
          board.failed('memory', error)
          return error
        },
      },
    })
    this.#tooLarge = undefined
    this.#foundNewer = false
    return loaded
  }

  /**
   * Builds a view of a snapshot. Deletions before it are unknown: they only add detail to some answers.
   *
   * @returns `undefined` if `stop` was aborted meanwhile
   * @throws COORD_MEMORY_EXCEEDED, and what the snapshot throws
   */
  async loadSnapshot({ head, pages }: StartSnapshot, stop: AbortSignal): Promise<View | undefined> {
    const { memory } = this.#context
    await this.#measureBase()
    const view = new View(this.#domain, head.position, head.at)
    for await (const records of pages()) {
      if (stop.aborted) {
        memory.shrank()
        return undefined
      }
      const bytes = keptBytes(records)
      if (!(await memory.findRoom(bytes, 'exhausted'))) {
        memory.shrank()
        throw exhausted(memory)
      }
      memory.grew(bytes)
      view.seed({ lineage: head.position.lineage, records, tombstones: [] })
      await turn()
    }
    return view
  }

  /** @throws COORD_MEMORY_EXCEEDED if the program itself does not fit */
  async #measureBase(): Promise<number> {
    const { memory } = this.#context
    if (this.#baseBytes === undefined && !(await memory.findRoom(0, 'exhausted'))) throw heapTooSmall(memory)
    this.#baseBytes ??= memory.usedBytes
    return this.#baseBytes
  }

  async #findRoom(bytes: number, dropServed: () => boolean): Promise<boolean> {
    const { memory } = this.#context
    if (await memory.findRoom(bytes, 'exhausted')) return true
    if (!dropServed()) return false
    memory.shrank()
    return memory.findRoom(bytes, 'exhausted')
  }
}
