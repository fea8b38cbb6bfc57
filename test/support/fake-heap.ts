import { MemoryBudget } from '../../src/live/memory/memory-budget.ts'
import type { Heap } from '../../src/live/memory/process-heap.ts'

export interface FakeHeapBytes {
  readonly neededBytes: number
  readonly garbageBytes?: number
}

/** A heap of 1,000 bytes (or more) that holds what a test says: no test can fill a real one to the byte. */
export class FakeHeap implements Heap {
  readonly limitBytes: number
  neededBytes: number
  garbageBytes: number
  /** How many were asked for. */
  collections = 0
  readonly #listeners = new Set<() => void>()

  constructor({ neededBytes, garbageBytes = 0 }: FakeHeapBytes, limitBytes = 1_000) {
    this.limitBytes = limitBytes
    this.neededBytes = neededBytes
    this.garbageBytes = garbageBytes
  }

  /** A budget that sees every collection, for as long as the test runs. */
  static watched(bytes: FakeHeapBytes, limitBytes?: number): { heap: FakeHeap; budget: MemoryBudget } {
    const heap = new FakeHeap({ ...bytes, garbageBytes: 0 }, limitBytes)
    const budget = new MemoryBudget(heap)
    heap.garbageBytes = bytes.garbageBytes ?? 0
    budget.watch(() => undefined)
    return { heap, budget }
  }

  get usedBytes(): number {
    return this.neededBytes + this.garbageBytes
  }

  onCollected(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async collect(): Promise<void> {
    this.collections += 1
    await new Promise((resolve) => setImmediate(resolve))
    this.garbageBytes = 0
    for (const listener of this.#listeners) listener()
  }
}
