import type { FastifyInstance, FastifyReply, FastifyRequest, RouteHandlerMethod } from 'fastify'
import {
  type Asker,
  answering,
  ClientQuestion,
  currentQuestion,
  type QuestionTimes,
} from '../../scheduling/client-question.ts'

/**
 * Turns every request that does not write into a `ClientQuestion`, which ends when its client disconnects, and gets 503 when it takes too
 * long. It wraps the handlers of all routes, so that a new route has it without doing anything.
 */
export function answerInTime(app: FastifyInstance, times: QuestionTimes): void {
  app.addHook('onRoute', (options) => {
    const { handler, url } = options
    const writes = options.config?.operation?.writes === true
    const inTime: RouteHandlerMethod = function (request, reply) {
      // A write goes on to its end even if its client disconnects. A current question means that the framework calls GET for HEAD.
      if ((writes && !isDryRun(request)) || currentQuestion() !== undefined)
        return handler.call(this, request, reply)
      const question = new ClientQuestion(new RequestAsker(request, reply, url), times)
      let answer: unknown
      try {
        answer = answering(question, () => handler.call(this, request, reply))
      } catch (thrown) {
        question.close()
        throw thrown
      }
      if (answer instanceof Promise) return untilEnd(question, answer)
      question.close()
      return answer
    }
    options.handler = inTime
  })
}

/** Whether a request to write asks only what would happen. */
function isDryRun({ raw: { url = '' } }: FastifyRequest): boolean {
  return url.includes('?') && /[?&]dryRun=true(?:&|$)/.test(url)
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

/** The client whose share a request uses. For IPv6 that is a network of 64 bits, because one client may use all of its addresses. */
function clientOf(address = ''): string {
  if (!address.includes(':') || address.startsWith('::ffff:')) return address
  const [head = '', tail] = address.split('::')
  const groups = head.split(':').filter((group) => group !== '')
  const after = tail === undefined ? [] : tail.split(':').filter((group) => group !== '')
  const zeros = tail === undefined ? 0 : 8 - groups.length - after.length
  return [...groups, ...Array<string>(Math.max(0, zeros)).fill('0'), ...after].slice(0, 4).join(':')
}
