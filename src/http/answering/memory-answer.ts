import { CoordinatorError } from '../../errors.ts'
import type { Live } from '../../live/live.ts'
import type { MemoryState } from '../../live/memory/memory-budget.ts'
import { exhausted, mebibytes } from '../../live/memory/memory-faults.ts'

/** How much of the heap is in use, in the form of the answers. */
export function memoryAnswer({ memory }: Live): { state: MemoryState; usedMiB: number; limitMiB: number } {
  const { state, usedBytes, limitBytes } = memory
  return { state, usedMiB: mebibytes(usedBytes), limitMiB: mebibytes(limitBytes) }
}

/** Why the memory keeps the coordinator from reads or writes; `undefined` where it does not. */
export function unreadyMemory({ memory }: Live, purpose: 'reads' | 'writes'): CoordinatorError | undefined {
  if (memory.state === 'exhausted') return exhausted(memory)
  return memory.state === 'full' && purpose === 'writes'
    ? new CoordinatorError('COORD_MEMORY_FULL')
    : undefined
}
