import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { CoordinatorError } from '../../errors.ts'
import { processMemory } from '../../live/memory/memory-budget.ts'
import { mebibytes } from '../../live/memory/memory-faults.ts'
import { type ClientQuestion, currentQuestion } from '../../scheduling/client-question.ts'
import { isTooLarge, questionTooLarge } from '../questions/question-too-large.ts'
import type { WorkerReply, WorkerRequest, WorkerTask } from './worker-protocol.ts'

/** How long a process without work is kept, in milliseconds. Its end frees all that it holds. */
const IDLE_MS = 60_000
/** How long a process may take to end by itself, in milliseconds. */
const END_MS = 1_000
/** The part of the coordinator's heap that a helper may have, and the least with which it is of use, in MiB. */
const HEAP_PART = 1 / 2
const HEAP_MIN_MIB = 64
/** How often work is begun again because the process died of other work meanwhile. */
const MAX_ATTEMPTS = 3

interface Pending {
  readonly resolve: (result: unknown) => void
  readonly reject: (error: CoordinatorError) => void
}

/** How many tasks are sent at once. The process need not wait for the next one, and a question that ends can still withdraw the others. */
const MAX_SENT = 2

interface Waiting {
  readonly id: number
  readonly task: WorkerTask
}

/**
 * A helper process that starts with the first task and ends when there has been none for a while. A process and not a
 * thread: its memory goes back to the system, and whatever happens in it, the coordinator goes on. (Ending threads has
 * brought down whole processes of Node.js 24: `Check failed: jit_page.has_value()`, nodejs/node#64500.)
 */
export class GraphProcess {
  readonly heapMiB: number
  #child: ChildProcess | undefined
  /** Tasks without a reply. */
  #pending = new Map<number, Pending>()
  /** The tasks that are not sent yet, in order. */
  readonly #waiting = new Map<number, Waiting>()
  #nextId = 1
  #generation = 0
  #idle: NodeJS.Timeout | undefined
  #closed = false

  /** @param heapMiB how much heap the process may use. @default half of the coordinator's heap */
  constructor(heapMiB = Math.max(HEAP_MIN_MIB, mebibytes(processMemory().limitBytes * HEAP_PART))) {
    this.heapMiB = heapMiB
  }

  /** Grows whenever everything that was handed over is gone. */
  get generation(): number {
    return this.#generation
  }

  /** Id of the process, where there is one. */
  get pid(): number | undefined {
    return this.#child?.pid
  }

  /**
   * Runs a task. Tasks run in the order in which they come. When the question of a task ends, the task stops or does not begin.
   *
   * @throws CoordinatorError of the task, also where the process died of it; COORD_INTERNAL where it died of something else;
   * COORD_SHUTTING_DOWN after `close`; COORD_QUESTION_* where the question ended
   */
  run(task: WorkerTask): Promise<unknown> {
    // The process must release what it holds even if nobody waits for that.
    const question = task.do === 'forget' ? undefined : currentQuestion()
    if (this.#closed)
      return Promise.reject(new CoordinatorError('COORD_SHUTTING_DOWN', { retryAfterSeconds: 1 }))
    const child = this.#started()
    const id = this.#nextId++
    clearTimeout(this.#idle)
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    this.#pending.set(id, { resolve, reject })
    this.#waiting.set(id, { id, task })
    this.#sendNext(child)
    return question === undefined ? promise : this.#untilEnd(question, { child, id, promise })
  }

  async #untilEnd(
    question: ClientQuestion,
    { child, id, promise }: { child: ChildProcess; id: number; promise: Promise<unknown> },
  ): Promise<unknown> {
    try {
      return await question.orEnd(promise)
    } finally {
      // Without a reply the question has ended before its task.
      if (this.#child === child && this.#pending.has(id)) this.#giveUp(child, id)
    }
  }

  #giveUp(child: ChildProcess, id: number): void {
    if (this.#waiting.delete(id)) this.#settle({ id, result: undefined })
    else if (child.connected) child.send({ id } satisfies WorkerRequest, () => undefined)
  }

  #sendNext(child: ChildProcess): void {
    for (const [id, request] of this.#waiting) {
      if (this.#pending.size - this.#waiting.size >= MAX_SENT) return
      this.#waiting.delete(id)
      child.send(request satisfies WorkerRequest, (error) => {
        if (error !== null) this.#died(child, error)
      })
    }
  }

  /** Does work that consists of tasks. If the process dies of other work meanwhile, it does the work again with the next process. */
  async attempt<T>(work: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      const generation = this.#generation
      try {
        return await work()
      } catch (thrown) {
        const isOver = this.#generation === generation || this.#closed
        if (isOver || isTooLarge(thrown) || attempt === MAX_ATTEMPTS) throw thrown
      }
    }
  }

  /** Lets go of what was handed over under a key. Where the process has ended, that happened already. */
  async forget(key: number): Promise<void> {
    if (this.#child === undefined || this.#closed) return
    // The task itself cannot fail; that the process died meanwhile has done what was wanted.
    await this.run({ do: 'forget', key }).catch(() => undefined)
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#end()
  }

  #started(): ChildProcess {
    if (this.#child === undefined) this.#child = this.#start()
    // What somebody waits for keeps the coordinator alive; a process at rest must not.
    this.#child.ref()
    this.#child.channel?.ref()
    return this.#child
  }

  #start(): ChildProcess {
    // The same module as source and as published JavaScript.
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
    const child = fork(new URL(`./graph-worker.${extension}`, import.meta.url), {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      execArgv: [`--max-old-space-size=${this.heapMiB}`, '--expose-gc'],
      // Secrets stay where they are needed.
      env: {},
    })
    child.on('message', (reply) => this.#settle(reply as WorkerReply))
    child.on('error', (error) => this.#died(child, error))
    child.on('exit', (code, signal) => {
      // This is how V8 ends a process whose heap is used up.
      if (signal === 'SIGABRT' || code === 134) this.#diedOfFirst(child)
      this.#died(child, new Error(`it ended with ${signal ?? code}`))
    })
    return child
  }

  #settle(reply: WorkerReply): void {
    const pending = this.#pending.get(reply.id)
    this.#pending.delete(reply.id)
    if ('error' in reply) {
      const { code, ...options } = reply.error
      pending?.reject(new CoordinatorError(code, options))
    } else pending?.resolve(reply.result)
    if (this.#child !== undefined) this.#sendNext(this.#child)
    if (this.#pending.size > 0) return
    this.#child?.unref()
    this.#child?.channel?.unref()
    this.#idle = setTimeout(() => void this.#end(), IDLE_MS).unref()
  }

  /** Tasks run in order, so that the first one without an answer needed too much memory. */
  #diedOfFirst(child: ChildProcess): void {
    const [first] = this.#pending
    if (this.#child !== child || first === undefined) return
    const [id, { reject }] = first
    this.#pending.delete(id)
    reject(
      questionTooLarge(
        `The question needs more than the ${this.heapMiB} MiB of memory that the process for graphs may use.`,
      ),
    )
  }

  #died(child: ChildProcess, cause: Error): void {
    if (this.#child !== child) return
    this.#child = undefined
    this.#generation += 1
    clearTimeout(this.#idle)
    const error = this.#closed
      ? new CoordinatorError('COORD_SHUTTING_DOWN', { retryAfterSeconds: 1 })
      : new CoordinatorError('COORD_INTERNAL', { detail: 'The process that works on graphs ended.', cause })
    for (const { reject } of this.#pending.values()) reject(error)
    this.#pending.clear()
    this.#waiting.clear()
  }

  async #end(): Promise<void> {
    const child = this.#child
    if (child === undefined) return
    this.#died(child, new Error('it was closed'))
    // Without its channel it has nothing to wait for.
    child.ref()
    const ended = once(child, 'exit')
    if (child.connected) child.disconnect()
    const late = setTimeout(() => child.kill('SIGKILL'), END_MS)
    if (child.exitCode === null && child.signalCode === null) await ended
    clearTimeout(late)
  }
}
