import { mebibytes } from '../live/memory-faults.ts'
import { ProcessHeap } from '../live/process-heap.ts'
import { questionTooLarge } from './question-too-large.ts'

/** Part of its heap that a helper process may have in use when it begins with a task: the rest is for the task. */
const usedMaxPart = 0.75

/** Watches over the heap of the helper process: what does not fit is refused, before the process dies of it. */
export class HelperMemory {
  readonly #heap = new ProcessHeap()

  /** @throws CoordinatorError where there is too little room to begin with anything */
  check(): void {
    const most = this.#heap.limitBytes * usedMaxPart
    if (this.#heap.usedBytes < most) return
    // Nobody else waits for this process: it may collect at a stretch.
    globalThis.gc?.()
    if (this.#heap.usedBytes < most) return
    throw questionTooLarge(
      `The process that works on graphs has ${mebibytes(this.#heap.limitBytes)} MiB of memory, which is too little for this question and what it keeps already.`,
    )
  }
}
