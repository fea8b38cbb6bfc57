import type { FastifyInstance, FastifyReply, FastifyRequest, RouteHandlerMethod } from 'fastify'
import {
  type Asker,
  answering,
  ClientQuestion,
  currentQuestion,
  type QuestionTimes,
} from '../../scheduling/client-question.ts'
import type { RouteInfo } from '../answering/count-answer.ts'
import { announcesBody, requireJson } from '../reading/body-media-type.ts'
import { clientOf } from '../reading/client-of.ts'
import type { BodyReceiver } from '../reading/receive-body.ts'
import { HandlerTurns, RouteCost } from './handler-turns.ts'

const methodsWithBody = ['POST', 'PUT', 'PATCH', 'DELETE']

export interface HandlerOptions {
  readonly bodies: BodyReceiver
  readonly questionTimes: QuestionTimes
}

/**
 * Wraps the handlers of all routes, so that a new route has all this without doing anything:
 *
 * - A handler begins when the body of its request has arrived, and finds it in `request.body`.
 * - Every request that does not write is a `ClientQuestion`, which ends when its client disconnects, and gets 503 when it takes too long.
 * - Costly handlers work in turns.
 *
 * Call it before the routes are added. Hooks of the framework would cost each request several times as much.
 */
export function runHandlers(app: FastifyInstance, { bodies, questionTimes }: HandlerOptions): void {
  // The framework would read bodies in an async context of its own, which costs as much as the rest of its work on a request.
  for (const method of [...methodsWithBody, 'OPTIONS', 'QUERY'])
    app.addHttpMethod(method, { hasBody: false, overrideExisting: true })
  const turns = new HandlerTurns()
  app.decorateReply('route', undefined)
  app.decorateReply('startedAt', 0)
  app.addHook('onRoute', (options) => {
    const { handler, url, config } = options
    const methods = [options.method].flat()
    const operation = config?.operation
    const route: RouteInfo = { method: methods.join(','), pattern: url, operation }
    const takesBody = methods.some((method) => methodsWithBody.includes(method))
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
      reply.startedAt = performance.now()
      return turns.mustWait(cost) ? turns.later(() => work(request, reply)) : work(request, reply)
    }

    function answer(request: FastifyRequest, reply: FastifyReply): unknown {
      // A write goes on to its end even if its client disconnects.
      const isQuestion =
        operation?.writes === true ? isDryRun(request) : operation?.immediate !== true || hasQuery(request)
      // An answer that waited for room is made again as a part of the same question.
      if (!isQuestion || currentQuestion() !== undefined) return begin(request, reply)
      // The wait for a turn counts for the time of the question, too.
      return inTime(new ClientQuestion(new RequestAsker(request, reply, url), questionTimes), () =>
        begin(request, reply),
      )
    }

    const wrapped: RouteHandlerMethod = (request, reply) => {
      reply.route = route
      if (!takesBody || !announcesBody(request.headers)) return answer(request, reply)
      requireJson(request.headers)
      bodies.receive(request.raw, (error, body) => {
        request.body = body
        if (error === undefined) run(answer, request, reply)
        else reply.send(error)
      })
      return undefined
    }
    options.handler = wrapped
  })
}

/** Does for a handler what the framework does for one that it calls itself. */
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

function hasQuery({ raw: { url = '' } }: FastifyRequest): boolean {
  return url.includes('?')
}

/** Whether a request to write asks only what would happen. */
function isDryRun({ raw: { url = '' } }: FastifyRequest): boolean {
  return url.includes('?') && /[?&]dryRun=true(?:&|$)/.test(url)
}

function inTime(question: ClientQuestion, answer: () => unknown): unknown {
  let result: unknown
  try {
    result = answering(question, answer)
  } catch (thrown) {
    question.close()
    throw thrown
  }
  if (result instanceof Promise) return untilEnd(question, result)
  question.close()
  return result
}

async function untilEnd(question: ClientQuestion, answer: Promise<unknown>): Promise<unknown> {
  try {
    return await question.orEnd(answer)
  } finally {
    question.close()
  }
}

class RequestAsker implements Asker {
  readonly #request: FastifyRequest
  readonly #reply: FastifyReply
  readonly topic: string

  constructor(request: FastifyRequest, reply: FastifyReply, topic: string) {
    this.#request = request
    this.#reply = reply
    this.topic = topic
  }

  get client(): string {
    return clientOf(this.#request.socket.remoteAddress)
  }

  get isAnswered(): boolean {
    return this.#reply.raw.headersSent
  }

  get isGone(): boolean {
    const { raw } = this.#reply
    return raw.destroyed && !raw.headersSent
  }

  onGone(left: () => void): () => void {
    const { raw } = this.#reply
    raw.once('close', left)
    return () => raw.off('close', left)
  }
}
