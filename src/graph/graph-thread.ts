import { Worker } from 'node:worker_threads'
import { CoordinatorError, toCoordinatorError } from '../errors.ts'
import type { WorkerReply, WorkerTask } from './worker-protocol.ts'

/** How long a thread without work is kept, in milliseconds. Its end frees all that it holds. */
const IDLE_MS = 60_000

interface Pending {
  readonly resolve: (result: unknown) => void
  readonly reject: (error: CoordinatorError) => void
}

/** A worker thread that starts with the first task and ends when there has been none for a while. */
export class GraphThread {
  #worker: Worker | undefined
  #pending = new Map<number, Pending>()
  #nextId = 1
  #generation = 0
  #idle: NodeJS.Timeout | undefined
  #closed = false

  /** Grows whenever everything that was handed over is gone. */
  get generation(): number {
    return this.#generation
  }

  /**
   * Has a task done. Tasks are done in the order in which they come.
   *
   * @throws CoordinatorError of the task; COORD_INTERNAL where the thread died; COORD_SHUTTING_DOWN after `close`
   */
  run(task: WorkerTask, transfer: readonly ArrayBuffer[] = []): Promise<unknown> {
    if (this.#closed)
      return Promise.reject(new CoordinatorError('COORD_SHUTTING_DOWN', { retryAfterSeconds: 1 }))
    const worker = this.#started()
    const id = this.#nextId++
    clearTimeout(this.#idle)
    // A promise that somebody waits for keeps the process alive; an idle thread must not.
    worker.ref()
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject })
      worker.postMessage({ id, task }, transfer)
    })
  }

  /** Lets go of what was handed over under a key. Where the thread has ended, that happened already. */
  async forget(key: number): Promise<void> {
    if (this.#worker === undefined || this.#closed) return
    // The task itself cannot fail; that the thread died meanwhile has done what was wanted.
    await this.run({ do: 'forget', key }).catch(() => undefined)
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#end()
  }

  #started(): Worker {
    if (this.#worker !== undefined) return this.#worker
    // The same module as source and as published JavaScript.
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
    const worker = new Worker(new URL(`./graph-worker.${extension}`, import.meta.url), {
      name: 'graph',
      // Secrets stay where they are needed.
      env: {},
    })
    worker.on('message', (reply: WorkerReply) => this.#settle(reply))
    worker.on('error', (error) => this.#died(worker, error))
    worker.on('exit', () => this.#died(worker, new Error('the thread ended')))
    this.#worker = worker
    return worker
  }

  #settle(reply: WorkerReply): void {
    const pending = this.#pending.get(reply.id)
    this.#pending.delete(reply.id)
    if ('error' in reply) {
      const { code, detail, errors } = reply.error
      pending?.reject(new CoordinatorError(code, { detail, errors }))
    } else pending?.resolve(reply.result)
    if (this.#pending.size > 0) return
    this.#worker?.unref()
    this.#idle = setTimeout(() => void this.#end(), IDLE_MS).unref()
  }

  #died(worker: Worker, cause: Error): void {
    if (this.#worker !== worker) return
    this.#worker = undefined
    this.#generation += 1
    clearTimeout(this.#idle)
    const error = toCoordinatorError(
      new CoordinatorError('COORD_INTERNAL', { detail: 'The thread that works on graphs ended.', cause }),
    )
    for (const { reject } of this.#pending.values()) reject(error)
    this.#pending.clear()
  }

  async #end(): Promise<void> {
    const worker = this.#worker
    clearTimeout(this.#idle)
    if (worker === undefined) return
    this.#died(worker, new Error('the thread was closed'))
    await worker.terminate()
  }
}
