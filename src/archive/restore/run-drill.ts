import { CoordinatorError } from '../../errors.ts'
import { type PeerEnd, workerModule } from '../../workers/peer.ts'
import { RequestLink } from '../../workers/request-link.ts'
import { startProcess } from '../../workers/start-process.ts'
import type { DrillTask, DrillWorker, NotedDrill } from './drill-process.ts'

/** How much heap the process may use, in MiB. A million records need about a third of it. */
const HEAP_MIB = 1_536

/**
 * Rehearses a restore in a process of its own, so that it neither delays the caller nor takes its memory. The process ends with the call.
 *
 * @param signal ends the process; the call then fails
 * @throws COORD_ARCHIVE_DAMAGED if the archive could not be restored, and what destinations throw
 */
export async function runDrill(task: DrillTask, signal: AbortSignal): Promise<NotedDrill> {
  signal.throwIfAborted()
  const link = new RequestLink<DrillWorker>({
    start: (listener) =>
      startProcess(workerModule(import.meta.url, 'drill-process'), { heapMiB: HEAP_MIB }, listener),
    lost: (end) => lost(end),
  })
  const stop = () => void link.drop()
  signal.addEventListener('abort', stop, { once: true })
  try {
    return await link.call('drill', task)
  } finally {
    signal.removeEventListener('abort', stop)
    await link.drop()
  }
}

function lost({ cause, outOfMemory }: PeerEnd): CoordinatorError {
  return new CoordinatorError('COORD_INTERNAL', {
    detail: outOfMemory
      ? `The drill needs more than the ${HEAP_MIB} MiB of memory that its process may use.`
      : 'The process of the drill ended.',
    cause,
  })
}
