import type { FastifyReply } from 'fastify'

/** Is aborted when the client goes before it has its answer: what it asked for need not be worked on any more. */
export function whileWanted({ raw }: FastifyReply): AbortSignal {
  const gone = new AbortController()
  if (raw.destroyed) gone.abort()
  else raw.once('close', () => raw.writableFinished || gone.abort())
  return gone.signal
}
