import { CoordinatorError } from '../../errors.ts'
import type { Live } from '../../live/live.ts'
import type { MemoryState } from '../../live/memory/memory-budget.ts'
import { exhausted, mebibytes } from '../../live/memory/memory-faults.ts'
import type { LiveStatus } from '../../live/state/status.ts'

/** The fault of the database, its code and its repair, as members of answers. */
export function causeOf({ reason, code, repair }: LiveStatus): Record<string, string> {
  return {
    ...(reason === undefined ? {} : { reason }),
    ...(code === undefined ? {} : { code }),
    ...(repair === undefined ? {} : { repair }),
  }
}

/** That a snapshot is served, and of when, as members of answers; nothing if the records come from the database. */
export function sourceOf({ snapshotAt }: LiveStatus): Record<string, string> {
  return snapshotAt === undefined
    ? {}
    : { source: 'snapshot', snapshotAt: new Date(snapshotAt).toISOString() }
}

/** How much of the heap is in use, in the form for answers. */
export function memoryAnswer({ memory }: Live): { state: MemoryState; usedMiB: number; limitMiB: number } {
  const { state, usedBytes, limitBytes } = memory
  return { state, usedMiB: mebibytes(usedBytes), limitMiB: mebibytes(limitBytes) }
}

/** The error if the memory prevents reads or writes; `undefined` if it does not. */
export function unreadyMemory({ memory }: Live, purpose: 'reads' | 'writes'): CoordinatorError | undefined {
  if (memory.state === 'exhausted') return exhausted(memory)
  return memory.state === 'full' && purpose === 'writes'
    ? new CoordinatorError('COORD_MEMORY_FULL')
    : undefined
}
