import { CoordinatorError } from '../../errors.ts'
import { processMemory } from '../../live/memory/memory-budget.ts'
import { mebibytes } from '../../live/memory/memory-faults.ts'
import { currentQuestion } from '../../scheduling/client-question.ts'
import type { ArgumentOf, MethodOf, ResultOf } from '../../workers/messages.ts'
import { type PeerEnd, workerModule } from '../../workers/peer.ts'
import { RequestLink } from '../../workers/request-link.ts'
import { startProcess } from '../../workers/start-process.ts'
import type { GraphWorker } from './graph-worker.ts'
import { isTooLarge, questionTooLarge } from './question-too-large.ts'

/** How long a process without work is kept, in milliseconds. Its end frees all its memory. */
const IDLE_MS = 60_000
/** The part of the coordinator's heap that a helper may use, and the smallest useful heap, in MiB. */
const HEAP_PART = 1 / 2
const HEAP_MIN_MIB = 64
/** The most attempts at one task. It is tried again if other work made the process die. */
const MAX_ATTEMPTS = 3
/**
 * How many tasks are sent at once. The process then need not wait for the next one, and a question that ends can still withdraw the others.
 */
const MAX_SENT = 2

/**
 * A helper process that starts with the first task, and ends when there has been none for a while. It is a process and not a thread: its
 * memory returns to the system, and the coordinator survives whatever happens in it. (Ending threads has brought down whole processes of
 * Node.js 24: `Check failed: jit_page.has_value()`, nodejs/node#64500.)
 */
export class GraphProcess {
  readonly heapMiB: number
  readonly #link: RequestLink<GraphWorker>
  #closed = false

  /** @param heapMiB how much heap the process may use. @default half of the coordinator's heap */
  constructor(heapMiB = Math.max(HEAP_MIN_MIB, mebibytes(processMemory().limitBytes * HEAP_PART))) {
    this.heapMiB = heapMiB
    const module = workerModule(import.meta.url, 'graph-worker')
    this.#link = new RequestLink<GraphWorker>({
      start: (listener) => startProcess(module, { heapMiB }, listener),
      lost: (end, { isFirst }) => this.#lost(end, isFirst),
      maxSent: MAX_SENT,
      idleMs: IDLE_MS,
    })
  }

  /** Increases whenever the process has lost everything that was sent to it. */
  get generation(): number {
    return this.#link.generation
  }

  /** The id of the process, if there is one. */
  get pid(): number | undefined {
    return this.#link.peer?.pid
  }

  /**
   * Runs a task. Tasks run in the order in which they arrive. When the question of a task ends, the task stops, or does not start.
   *
   * @throws CoordinatorError of the task, also if the task made the process die; COORD_INTERNAL if the process died of something else;
   * COORD_SHUTTING_DOWN after `close`; COORD_QUESTION_* if the question ended
   */
  async run<M extends MethodOf<GraphWorker>>(
    task: M,
    argument: ArgumentOf<GraphWorker, M>,
  ): Promise<ResultOf<GraphWorker, M>> {
    if (this.#closed) throw shuttingDown()
    // The process must release its data even if nobody waits for that.
    const question = task === 'forget' ? undefined : currentQuestion()
    return this.#link.call(task, argument, { question })
  }

  /** Does work that consists of tasks. If other work makes the process die, the work starts again with the next process. */
  async attempt<T>(work: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      const { generation } = this
      try {
        return await work()
      } catch (thrown) {
        const isOver = this.generation === generation || this.#closed
        if (isOver || isTooLarge(thrown) || attempt === MAX_ATTEMPTS) throw thrown
      }
    }
  }

  /** Releases the data that was sent under a key. If the process has ended, that has happened already. */
  async forget(key: number): Promise<void> {
    if (this.#link.peer === undefined || this.#closed) return
    // This task cannot fail. If the process died in the meantime, the data is released, too.
    await this.run('forget', { key }).catch(() => undefined)
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#link.drop()
  }

  /** Tasks run in order. If the heap is used up, the first task without an answer needed too much of it. */
  #lost({ cause, outOfMemory }: PeerEnd, isFirst: boolean): CoordinatorError {
    if (this.#closed) return shuttingDown()
    if (isFirst && outOfMemory)
      return questionTooLarge(
        `The question needs more than the ${this.heapMiB} MiB of memory that the process for graphs may use.`,
      )
    return new CoordinatorError('COORD_INTERNAL', {
      detail: 'The process that works on graphs ended.',
      cause,
    })
  }
}

function shuttingDown(): CoordinatorError {
  return new CoordinatorError('COORD_SHUTTING_DOWN', { retryAfterSeconds: 1 })
}
