import { CoordinatorError } from '../errors.ts'
import type { LoadedPart } from './load-view.ts'
import type { MemoryBudget } from './memory-budget.ts'

/** The recommended heap is a multiple of this, in MiB. */
const adviceStepMiB = 64
/** The part of the recommended heap that the records take. It leaves room for writes. */
const advisedPart = 0.75

/** Whole mebibytes, for people. */
export function mebibytes(bytes: number): number {
  return Math.round(bytes / 1_048_576)
}

/** The coordinator does not follow the journal any more. It serves what it has loaded, which becomes old. */
export function exhausted({ usedBytes, limitBytes }: MemoryBudget): CoordinatorError {
  return new CoordinatorError('COORD_MEMORY_EXCEEDED', {
    detail: `${mebibytes(usedBytes)} of ${mebibytes(limitBytes)} MiB of the heap are in use, so that the coordinator does not load further changes from the database.`,
    outcome: 'unknown',
  })
}

/**
 * A load that was given up.
 *
 * @param baseBytes what was in use before it
 */
export function recordsTooLarge(
  { records, bytes, allRecords, allBytes }: LoadedPart,
  { memory, baseBytes }: { readonly memory: MemoryBudget; readonly baseBytes: number },
): CoordinatorError {
  // The memory that the loaded part took is the best estimate for the rest, unless that part was small.
  const taken = Math.max(0, memory.limitBytes * 0.95 - baseBytes)
  const perByte = bytes === 0 ? 1 : Math.min(2, taken / bytes)
  const needed = (baseBytes + perByte * allBytes) / advisedPart
  const heapMiB = Math.ceil(mebibytes(needed) / adviceStepMiB) * adviceStepMiB
  return new CoordinatorError('COORD_MEMORY_EXCEEDED', {
    detail: `The database holds ${allRecords} records, of which ${records} fit into a heap of ${mebibytes(memory.limitBytes)} MiB; all of them need about ${heapMiB} MiB.`,
    hint: `Start the coordinator with \`NODE_OPTIONS=--max-old-space-size=${heapMiB}\`.`,
    extra: { heapMiB },
  })
}
