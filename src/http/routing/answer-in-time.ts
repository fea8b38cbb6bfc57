import type { FastifyReply, FastifyRequest } from 'fastify'
import {
  type Asker,
  answering,
  ClientQuestion,
  type QuestionTimes,
} from '../../scheduling/client-question.ts'
import { shareOf } from '../client/share-of.ts'

/** Answers a request as a `ClientQuestion`, which ends when its client disconnects, and fails when it takes too long. */
export function answerInTime(
  reply: FastifyReply,
  { topic, times }: { readonly topic: string; readonly times: QuestionTimes },
  answer: () => unknown,
): unknown {
  const question = new ClientQuestion(new RequestAsker(reply, topic), times)
  let result: unknown
  try {
    result = answering(question, answer)
  } catch (thrown) {
    question.close()
    throw thrown
  }
  if (result instanceof Promise) return untilEnd(reply, question, result)
  question.close()
  return result
}

async function untilEnd(
  reply: FastifyReply,
  question: ClientQuestion,
  answer: Promise<unknown>,
): Promise<unknown> {
  reply.question = question
  try {
    return await question.orEnd(answer)
  } finally {
    reply.question = undefined
    question.close()
  }
}

class RequestAsker implements Asker {
  readonly #request: FastifyRequest
  readonly #reply: FastifyReply
  readonly topic: string

  constructor(reply: FastifyReply, topic: string) {
    this.#request = reply.request
    this.#reply = reply
    this.topic = topic
  }

  get client(): string {
    return shareOf(this.#request)
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
