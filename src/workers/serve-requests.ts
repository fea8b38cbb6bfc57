import { parentPort } from 'node:worker_threads'
import { type ErrorCode, toCoordinatorError } from '../errors.ts'
import { answering, ClientQuestion } from '../scheduling/client-question.ts'
import type { Reply, Request } from './messages.ts'
import { packError } from './packed-error.ts'

export interface ServeOptions {
  /** The error code for errors of a method that are not a `CoordinatorError`. */
  readonly fallback: ErrorCode
  /** Called before each call. If it throws, the error is the answer. @default nothing */
  readonly begin?: (method: string) => void
}

/** Answers the calls of a `RequestLink` with the methods of a service, one after the other, in the order in which they arrive. */
class RequestServer {
  readonly #service: object
  readonly #options: ServeOptions
  readonly #reply: (reply: Reply) => void
  /** Calls that nobody waits for any more. */
  readonly #takenBack = new Set<number>()
  #lastId = 0
  #underWay: Promise<void> = Promise.resolve()

  constructor(service: object, options: ServeOptions, reply: (reply: Reply) => void) {
    this.#service = service
    this.#options = options
    this.#reply = reply
  }

  take(request: Request): void {
    if (request.method !== undefined) this.afterAll(() => this.#answer(request))
    else if (request.id > this.#lastId) this.#takenBack.add(request.id)
  }

  /** Does some work when all earlier calls are done. */
  afterAll(work: () => Promise<void> | void): void {
    this.#underWay = this.#underWay.then(work)
  }

  /** Long work stops when nobody waits for it any more. */
  async #answer({ id, method, argument }: Request): Promise<void> {
    const takenBack = this.#takenBack
    const question = new ClientQuestion({
      ...{ client: '', topic: method as string, isAnswered: true },
      get isGone() {
        return takenBack.has(id)
      },
      onGone: () => () => undefined,
    })
    try {
      question.look()
      this.#options.begin?.(method as string)
      const service = this.#service as Record<string, (argument: unknown) => unknown>
      const result = await answering(question, () => service[method as string]?.(argument))
      this.#done({ id, result })
    } catch (thrown) {
      this.#done({ id, error: packError(toCoordinatorError(thrown, this.#options.fallback)) })
    }
  }

  #done(reply: Reply): void {
    this.#lastId = reply.id
    this.#takenBack.delete(reply.id)
    this.#reply(reply)
  }
}

/** Serves in a worker thread, until the thread that started it lets it end. */
export function serveThread(service: { close(): void }, options: ServeOptions): void {
  const port = parentPort
  if (port === null) throw new Error('This module is the entry of a worker thread.')
  const server = new RequestServer(service, options, (reply) => port.postMessage(reply))
  port.on('message', (message: Request | 'end') => {
    if (message !== 'end') server.take(message)
    else
      server.afterAll(() => {
        service.close()
        port.close()
      })
  })
}

/** Serves in a child process, until the process that started it is gone or closes the channel. */
export function serveProcess(service: object, options: ServeOptions): void {
  if (process.send === undefined) throw new Error('This module is the entry of a child process.')
  const server = new RequestServer(service, options, (reply) =>
    // Without the other process there is nobody left to work for.
    process.send?.(reply, undefined, undefined, (error) => {
      if (error !== null) process.exit(0)
    }),
  )
  process.on('message', (request: Request) => server.take(request))
  process.on('disconnect', () => process.exit(0))
  // A terminal sends its signals to this process, too. It ignores them: its parent process decides when it ends.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)
}
