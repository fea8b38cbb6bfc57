import type { FastifyReply } from 'fastify'
import type { Principal } from '../../access/principal.ts'
import type { ClientQuestion } from '../../scheduling/client-question.ts'
import { endOf } from './access-gate.ts'

declare module 'fastify' {
  interface FastifyReply {
    /** The question that the request asks, while its answer is being made. */
    question?: ClientQuestion | undefined
    /** Ends an answer that has begun, so that its client does not take it for complete. @default closes the connection */
    endEarly?: () => void
  }
}

/** The longest time that a timer of Node can wait, in milliseconds: about 25 days. */
const timerMaxMs = 2_147_483_647

/**
 * The questions and streams that are still open, by the caller who sent them. They end when the credential of the caller ends. Callers
 * whose credential cannot end are not kept here.
 */
export class OpenRequests {
  readonly #callers = new Map<Principal, Caller>()

  /** Must be called when a handler has begun and returned. A request that was answered meanwhile costs nothing. */
  watch(reply: FastifyReply): void {
    const { raw } = reply
    if (raw.writableEnded || raw.destroyed) return
    const { principal } = reply.request
    if (principal.ended === undefined && principal.expiresAt === undefined) return
    let caller = this.#callers.get(principal)
    if (caller === undefined) {
      caller = new Caller(principal, () => this.#callers.delete(principal))
      this.#callers.set(principal, caller)
    }
    caller.add(reply)
  }
}

/** One caller with open requests. */
class Caller {
  readonly #principal: Principal
  readonly #open = new Set<FastifyReply>()
  readonly #forget: () => void
  readonly #end = () => this.#endAll()
  #timer: NodeJS.Timeout | undefined

  constructor(principal: Principal, forget: () => void) {
    this.#principal = principal
    this.#forget = forget
    principal.ended?.addEventListener('abort', this.#end, { once: true })
    this.#setTimer()
  }

  add(reply: FastifyReply): void {
    // A request whose answer was made again, because it waited for room, comes twice.
    if (this.#open.has(reply)) return
    this.#open.add(reply)
    reply.raw.once('close', () => this.#remove(reply))
    // The credential may have ended while the handler ran.
    if (endOf(this.#principal) !== undefined) this.#endAll()
  }

  #remove(reply: FastifyReply): void {
    this.#open.delete(reply)
    if (this.#open.size > 0) return
    clearTimeout(this.#timer)
    this.#principal.ended?.removeEventListener('abort', this.#end)
    this.#forget()
  }

  #setTimer(): void {
    const { expiresAt } = this.#principal
    if (expiresAt === undefined) return
    const leftMs = Math.max(1, Math.min(expiresAt - Date.now(), timerMaxMs))
    this.#timer = setTimeout(() => {
      // The clock may have been set back, and a long time takes several timers.
      if (endOf(this.#principal) === undefined) this.#setTimer()
      else this.#endAll()
    }, leftMs).unref()
  }

  #endAll(): void {
    const error = endOf(this.#principal)
    if (error === undefined) return
    for (const reply of this.#open) {
      if (reply.raw.headersSent) endBegun(reply)
      else if (reply.question !== undefined) reply.question.end(error)
      // A large answer is being made, and would be sent after the error.
      else if (reply.sent) reply.raw.destroy()
      else reply.send(error)
    }
  }
}

function endBegun({ raw, endEarly }: FastifyReply): void {
  if (endEarly === undefined) raw.destroy()
  else endEarly()
}
