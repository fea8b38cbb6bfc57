import { mebibytes } from '../../live/memory/memory-faults.ts'
import { ProcessHeap } from '../../live/memory/process-heap.ts'
import { questionTooLarge } from './question-too-large.ts'

/** The part of its heap that a helper process may use when it begins a task. The rest is reserved for the task. */
const usedMaxPart = 0.75

/** Watches the heap of the helper process. It refuses a task that does not fit, before the process would die of it. */
export class HelperMemory {
  readonly #heap = new ProcessHeap()

  /** @throws CoordinatorError if there is too little room to begin a task */
  check(): void {
    const most = this.#heap.limitBytes * usedMaxPart
    if (this.#heap.usedBytes < most) return
    // Nothing else waits for this process, so it may stop for a collection.
    globalThis.gc?.()
    if (this.#heap.usedBytes < most) return
    throw questionTooLarge(
      `The process that works on graphs has ${mebibytes(this.#heap.limitBytes)} MiB of memory, which is too little for this question and what it keeps already.`,
    )
  }
}
