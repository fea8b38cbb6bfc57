import type { CoordinatorError } from '../errors.ts'
import type { ClientQuestion } from '../scheduling/client-question.ts'
import type { ArgumentOf, MethodOf, Reply, Request, ResultOf } from './messages.ts'
import { unpackError } from './packed-error.ts'
import type { Peer, PeerEnd, PeerListener } from './peer.ts'

export interface RequestLinkOptions<S> {
  /** Starts the thread or process. */
  readonly start: (listener: PeerListener) => Peer
  /** The error of a call without an answer when the peer has ended. `isFirst`: the peer worked on this call, or would have done so next. */
  readonly lost: (
    end: PeerEnd,
    call: { readonly method: MethodOf<S>; readonly isFirst: boolean },
  ) => CoordinatorError
  /** Called when the peer has ended, for whatever reason. @default nothing */
  readonly onEnd?: () => void
  /** How many calls are sent before the peer has answered. The others can still be withdrawn. @default all */
  readonly maxSent?: number
  /** How long the peer is kept without a call, in milliseconds. During this time it does not keep this process alive. @default for ever */
  readonly idleMs?: number
}

export interface CallOptions {
  /** The call is withdrawn when this question ends. */
  readonly question?: ClientQuestion | undefined
  /** How long the call may take, including those before it. @default without limit */
  readonly timeout?: { readonly ms: number; readonly error: () => CoordinatorError } | undefined
}

interface Pending {
  readonly method: string
  readonly resolve: (result: unknown) => void
  readonly reject: (error: CoordinatorError) => void
  readonly timer: NodeJS.Timeout | undefined
}

/**
 * Calls the methods of a service `S` in a worker thread or a child process. The worker starts with the first call. After it has ended, the
 * next call starts it again. Calls are answered in order.
 */
export class RequestLink<S> {
  readonly #options: RequestLinkOptions<S>
  /** Calls without an answer, in order. */
  readonly #pending = new Map<number, Pending>()
  /** The pending calls that were not sent yet. */
  readonly #waiting = new Map<number, Request>()
  #peer: Peer | undefined
  #lastId = 0
  #generation = 0
  #idle: NodeJS.Timeout | undefined

  constructor(options: RequestLinkOptions<S>) {
    this.#options = options
  }

  /** The running peer. */
  get peer(): Peer | undefined {
    return this.#peer
  }

  /** Increases whenever a peer has ended and its data is gone. */
  get generation(): number {
    return this.#generation
  }

  /** Calls that have no answer yet. */
  get depth(): number {
    return this.#pending.size
  }

  /** @throws CoordinatorError */
  call<M extends MethodOf<S>>(
    method: M,
    argument: ArgumentOf<S, M>,
    { question, timeout }: CallOptions = {},
  ): Promise<ResultOf<S, M>> {
    const peer = this.#started()
    this.#lastId += 1
    const id = this.#lastId
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    const timer = timeout && setTimeout(() => this.#settle(id)?.reject(timeout.error()), timeout.ms)
    this.#pending.set(id, { method, resolve, reject, timer })
    this.#waiting.set(id, { id, method, argument })
    this.#sendNext(peer)
    const answer = question === undefined ? promise : this.#untilEnd(question, id, promise)
    return answer as Promise<ResultOf<S, M>>
  }

  /** Lets the peer answer all calls, and end. @throws the error with which the peer ended */
  async finish(): Promise<void> {
    const cause = await this.#peer?.end()
    if (cause !== undefined) throw cause
  }

  /** Ends the peer at once. Calls without an answer fail. */
  async drop(): Promise<void> {
    const peer = this.#peer
    if (peer === undefined) return
    this.#lose(peer, { cause: new Error('it was closed') })
    await peer.end()
  }

  async #untilEnd(question: ClientQuestion, id: number, answer: Promise<unknown>): Promise<unknown> {
    try {
      return await question.orEnd(answer)
    } finally {
      this.#takeBack(id)
    }
  }

  #takeBack(id: number): void {
    if (this.#waiting.delete(id)) this.#settle(id)?.resolve(undefined)
    else if (this.#pending.has(id)) this.#peer?.send({ id })
  }

  #started(): Peer {
    let peer = this.#peer
    if (peer === undefined) {
      const started: Peer = this.#options.start({
        onReply: (reply) => this.#take(reply),
        onEnd: (end) => this.#lose(started, end),
      })
      peer = this.#peer = started
    }
    if (this.#options.idleMs !== undefined) {
      clearTimeout(this.#idle)
      peer.ref()
    }
    return peer
  }

  #sendNext(peer: Peer): void {
    const { maxSent = Number.POSITIVE_INFINITY } = this.#options
    for (const [id, request] of this.#waiting) {
      if (this.#pending.size - this.#waiting.size >= maxSent) return
      this.#waiting.delete(id)
      peer.send(request)
    }
  }

  #take(reply: Reply): void {
    const pending = this.#settle(reply.id)
    if ('error' in reply) pending?.reject(unpackError(reply.error))
    else pending?.resolve(reply.result)
  }

  /** Removes a call from the list. */
  #settle(id: number): Pending | undefined {
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    clearTimeout(pending?.timer)
    if (this.#peer !== undefined) this.#sendNext(this.#peer)
    if (this.#pending.size === 0) this.#rest()
    return pending
  }

  #rest(): void {
    const { idleMs } = this.#options
    if (idleMs === undefined) return
    this.#peer?.unref()
    this.#idle = setTimeout(() => void this.drop(), idleMs).unref()
  }

  #lose(peer: Peer, end: PeerEnd): void {
    if (this.#peer !== peer) return
    this.#peer = undefined
    this.#generation += 1
    clearTimeout(this.#idle)
    this.#options.onEnd?.()
    let isFirst = true
    for (const { method, reject, timer } of this.#pending.values()) {
      clearTimeout(timer)
      reject(this.#options.lost(end, { method: method as MethodOf<S>, isFirst }))
      isFirst = false
    }
    this.#pending.clear()
    this.#waiting.clear()
  }
}
