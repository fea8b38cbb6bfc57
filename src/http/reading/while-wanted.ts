import type { FastifyReply } from 'fastify'

/** Aborted when the client disconnects before its answer, so that the work on it can stop. */
export function whileWanted({ raw }: FastifyReply): AbortSignal {
  const gone = new AbortController()
  if (raw.destroyed) gone.abort()
  else raw.once('close', () => raw.writableFinished || gone.abort())
  return gone.signal
}
