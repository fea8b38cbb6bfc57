import { CoordinatorError } from '../../errors.ts'
import type { MemoryBudget } from './memory-budget.ts'

/** The recommended heap is a multiple of this, in MiB. */
const adviceStepMiB = 64
/** The part of the recommended heap that the records take. It leaves room for writes. */
const advisedPart = 0.75
/** The smallest heap that leaves room for records, in MiB: the program itself takes 20 to 28, and work in progress 16. */
export const leastHeapMiB = 96

/** How much of a store fits into a view, in records and in bytes as `keptBytes` counts them. */
export interface LoadedPart {
  readonly records: number
  readonly bytes: number
  readonly allRecords: number
  readonly allBytes: number
}

/** Bytes as whole mebibytes, for texts. */
export function mebibytes(bytes: number): number {
  return Math.round(bytes / 1_048_576)
}

/** The coordinator no longer follows the journal. It serves what it has loaded, which becomes older. */
export function exhausted({ usedBytes, limitBytes }: MemoryBudget): CoordinatorError {
  return new CoordinatorError('COORD_MEMORY_EXCEEDED', {
    detail: `${mebibytes(usedBytes)} of ${mebibytes(limitBytes)} MiB of the heap are in use, so that the coordinator does not load further changes from the database.`,
    outcome: 'unknown',
  })
}

/** Nothing has been loaded yet, and there is already no room. */
export function heapTooSmall({ usedBytes, limitBytes }: MemoryBudget): CoordinatorError {
  return new CoordinatorError('COORD_MEMORY_EXCEEDED', {
    detail: `The coordinator itself takes ${mebibytes(usedBytes)} MiB, which leaves no room for records in a heap of ${mebibytes(limitBytes)} MiB.`,
    hint: `Start the coordinator with \`NODE_OPTIONS=--max-old-space-size=${2 * adviceStepMiB}\` or more.`,
    extra: { heapMiB: 2 * adviceStepMiB },
  })
}

/**
 * The error of a load that was stopped because of its size.
 *
 * @param baseBytes the bytes in use before the load
 */
export function recordsTooLarge(
  { records, bytes, allRecords, allBytes }: LoadedPart,
  { memory, baseBytes }: { readonly memory: MemoryBudget; readonly baseBytes: number },
): CoordinatorError {
  // The bytes that the loaded part took are a better measure than an estimate, unless that part is small.
  const taken = Math.max(0, memory.boundOf('exhausted') - baseBytes)
  const perByte = bytes === 0 ? 1 : Math.min(2, taken / bytes)
  const needed = (baseBytes + perByte * allBytes) / advisedPart
  const heapMiB = Math.max(2, Math.ceil(mebibytes(needed) / adviceStepMiB)) * adviceStepMiB
  return new CoordinatorError('COORD_MEMORY_EXCEEDED', {
    detail: `The database holds ${allRecords} records, of which ${records} fit into a heap of ${mebibytes(memory.limitBytes)} MiB; all of them need about ${heapMiB} MiB.`,
    hint: `Start the coordinator with \`NODE_OPTIONS=--max-old-space-size=${heapMiB}\`.`,
    extra: { heapMiB },
  })
}
