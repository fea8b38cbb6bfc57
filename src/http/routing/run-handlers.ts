import type { FastifyInstance, FastifyReply, FastifyRequest, RouteHandlerMethod } from 'fastify'
import { CoordinatorError } from '../../errors.ts'
import { currentQuestion, type QuestionTimes, workingFor } from '../../scheduling/client-question.ts'
import { longTurn } from '../../scheduling/long-work.ts'
import type { RouteInfo } from '../answering/count-answer.ts'
import { shareOf } from '../client/share-of.ts'
import { isDryRun } from '../reading/is-dry-run.ts'
import { announcesBody, type BodyReceiver } from '../reading/receive-body.ts'
import { type AccessGate, endOf } from './access-gate.ts'
import { answerInTime } from './answer-in-time.ts'
import { OpenRequests } from './open-requests.ts'

/** How long handlers may work in one turn of the event loop, in milliseconds. Costly handlers then wait for a later turn. */
const TURN_MS = 10
/** A route is costly if most runs of its handler take longer than this, in milliseconds. */
const COSTLY_MS = 0.2
/** The most that earlier requests count: after this many requests of the other kind in a row, the judgement of a route changes. */
const MAX_SCORE = 8

const methodsWithBody = ['POST', 'PUT', 'PATCH', 'DELETE']

export interface HandlerOptions {
  readonly gate: AccessGate
  readonly bodies: BodyReceiver
  readonly questionTimes: QuestionTimes
}

/**
 * Wraps the handlers of all routes, so that every new route has these properties:
 *
 * - A route without a scope is an error. Only callers with its scope reach a handler, and no body is received from others.
 * - A slash at the end of the path makes no difference, but a write with a slash after an id is refused.
 * - A handler begins when the body of its request has arrived, and finds it in `request.body`.
 * - Every request that does not write is a `ClientQuestion`. It ends when its client disconnects, and gets 503 when it takes too long.
 * - A question or a stream ends with the credential of its caller. A write that has begun continues.
 * - Costly handlers work in turns.
 *
 * Call it before the routes are added. Hooks of the framework would cost each request several times as much.
 */
export function runHandlers(app: FastifyInstance, { gate, bodies, questionTimes }: HandlerOptions): void {
  // The framework would read bodies in a separate async context, which costs as much as the rest of its work on a request.
  for (const method of [...methodsWithBody, 'OPTIONS', 'QUERY'])
    app.addHttpMethod(method, { hasBody: false, overrideExisting: true })
  const turns = new HandlerTurns()
  const open = new OpenRequests()
  app.decorateRequest('principal', undefined as never)
  app.decorateReply('route', undefined)
  app.decorateReply('startedAt', 0)
  app.addHook('onRoute', (options) => {
    const { handler, url, config } = options
    const methods = [options.method].flat()
    const operation = config?.operation
    if (operation?.scope === undefined)
      throw new CoordinatorError('COORD_INTERNAL', {
        detail: `The route ${methods.join(', ')} ${url} does not say which scope it demands.`,
        hint: 'Give the route an `Operation` with a `scope`.',
      })
    const route: RouteInfo = { method: methods.join(','), pattern: url, operation }
    const takesBody = methods.some((method) => methodsWithBody.includes(method))
    const isWrite = operation.writes === true || operation.writesTokens === true
    const writesById = isWrite && /:\w+$/.test(url)
    const onlyAsks = (request: FastifyRequest) => isDryRun(request, operation)
    const cost = new RouteCost()

    function work(request: FastifyRequest, reply: FastifyReply): unknown {
      const began = performance.now()
      try {
        return handler.call(app, request, reply)
      } finally {
        const workedMs = performance.now() - began
        cost.add(workedMs)
        turns.worked(workedMs)
      }
    }

    function begin(request: FastifyRequest, reply: FastifyReply): unknown {
      return turns.mustWait(cost) ? turns.later(() => work(request, reply)) : work(request, reply)
    }

    function answer(request: FastifyRequest, reply: FastifyReply): unknown {
      // A write continues to its end even if its client disconnects.
      const isQuestion = isWrite ? onlyAsks(request) : operation?.immediate !== true || hasQuery(request)
      // An answer that waited for room is made again as a part of the same question.
      if (currentQuestion() !== undefined) return begin(request, reply)
      if (!isQuestion)
        return isWrite ? workingFor(shareOf(request), () => begin(request, reply)) : begin(request, reply)
      // The wait for a turn counts for the time of the question, too.
      return answerInTime(reply, { topic: url, times: questionTimes }, () => begin(request, reply))
    }

    function answerWhileAllowed(request: FastifyRequest, reply: FastifyReply): unknown {
      if (isWrite && !onlyAsks(request)) return answer(request, reply)
      try {
        return answer(request, reply)
      } finally {
        open.watch(reply)
      }
    }

    function serve(request: FastifyRequest, reply: FastifyReply): unknown {
      if (writesById) refuseSlashAfterId(request)
      if (!takesBody || !announcesBody(request.headers)) return answerWhileAllowed(request, reply)
      // Only now: whoever may not send the request need not send its body.
      if (request.headers.expect !== undefined) reply.raw.writeContinue()
      const share = () => shareOf(request)
      bodies.receive(request.raw, share, (error, body) => {
        // The credential may have ended while the body arrived.
        const refusal = error ?? endOf(request.principal)
        if (refusal !== undefined) return void reply.send(refusal)
        request.body = body
        // How fast a client sends its body says nothing about the route.
        reply.startedAt = performance.now()
        run(answerWhileAllowed, request, reply)
      })
      return undefined
    }

    const wrapped: RouteHandlerMethod = (request, reply) => {
      reply.route = route
      reply.startedAt = performance.now()
      const admitted = gate.admit(request, operation)
      if (admitted === undefined) return serve(request, reply)
      // The framework must not get this promise: it would send an empty answer as soon as the promise resolves, before a body has arrived.
      admitted.then(
        () => run(serve, request, reply),
        (thrown) => reply.send(thrown),
      )
      return undefined
    }
    options.handler = wrapped
  })
}

/** Does for a handler what the framework does for handlers that it calls itself. */
function run(
  answer: (request: FastifyRequest, reply: FastifyReply) => unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  const fail = (thrown: unknown) => {
    if (!reply.sent) reply.send(thrown)
  }
  try {
    const result = answer(request, reply)
    if (result instanceof Promise) result.catch(fail)
  } catch (thrown) {
    fail(thrown)
  }
}

/**
 * The router takes no notice of a slash at the end. But after an id, the slash may be its last character, and the write would be about
 * another record.
 *
 * @throws COORD_ROUTE_NOT_FOUND
 */
function refuseSlashAfterId({ raw: { url = '', method } }: FastifyRequest): void {
  const [path = ''] = url.split('?', 1)
  if (!path.endsWith('/')) return
  throw new CoordinatorError('COORD_ROUTE_NOT_FOUND', {
    detail: `The path of this ${method} ends with a slash after an id.`,
    hint: 'Leave the slash out, or write it as `%2F` if it belongs to the id.',
    outcome: 'not_written',
  })
}

function hasQuery({ raw: { url = '' } }: FastifyRequest): boolean {
  return url.includes('?')
}

/** The cost of a route, judged by most of its requests. On a busy machine, any single request may seem long because it was delayed. */
class RouteCost {
  #score = 0

  /** Whether its handler mostly works for long without a pause. */
  get isHigh(): boolean {
    return this.#score > 0
  }

  add(ms: number): void {
    const next = this.#score + (ms > COSTLY_MS ? 1 : -1)
    this.#score = Math.max(-MAX_SCORE, Math.min(MAX_SCORE, next))
  }
}

/**
 * Spreads costly handlers over several turns of the event loop. Node passes hundreds of requests that arrive together to their handlers in
 * one turn. Everything else would have to wait for all of them.
 */
class HandlerTurns {
  #workedMs = 0
  #waiting = 0
  #renewing = false

  /** Whether a handler of this route has to wait for a later turn. */
  mustWait({ isHigh }: RouteCost): boolean {
    return isHigh && (this.#workedMs > TURN_MS || this.#waiting > 0)
  }

  /** Runs a handler in a later turn, as long work. */
  async later<T>(handler: () => T): Promise<Awaited<T>> {
    this.#waiting += 1
    try {
      await longTurn()
    } finally {
      this.#waiting -= 1
    }
    // In the meantime its client may have disconnected, or its time may be over.
    currentQuestion()?.look()
    return await handler()
  }

  /** Records how long a handler has worked. */
  worked(ms: number): void {
    this.#workedMs += ms
    // Nothing reports the end of a turn. It is enough to check after some work: at worst, the last piece of work is counted too much.
    if (this.#workedMs <= TURN_MS || this.#renewing) return
    this.#renewing = true
    setImmediate(() => {
      this.#renewing = false
      this.#workedMs = 0
    })
  }
}
