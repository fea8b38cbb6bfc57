import type { FastifyReply } from 'fastify'
import type { Answers, RoomNeeded } from './answers.ts'
import type { ProblemSender } from './send-problem.ts'

/** Answers a read again as soon as there is room for its answer. */
export async function answerWhenRoom(
  reply: FastifyReply,
  { bytes }: RoomNeeded,
  { answers, problems }: { readonly answers: Answers; readonly problems: ProblemSender },
): Promise<void> {
  const { request } = reply
  try {
    if (await answers.reserve(reply, bytes))
      await request.routeOptions.handler.call(request.server, request, reply)
    else reply.hijack()
  } catch (thrown) {
    problems.send(request, reply, thrown)
  } finally {
    answers.giveBack(reply)
  }
}
