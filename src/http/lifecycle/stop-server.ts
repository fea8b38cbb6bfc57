import type { FastifyInstance } from 'fastify'
import type { Live } from '../../live/live.ts'
import { within } from '../../scheduling/backoff.ts'
import type { Logger } from '../../telemetry/logging.ts'
import type { Answers } from '../answering/answers.ts'
import type { BodyReceiver } from '../reading/receive-body.ts'
import type { Connections } from './connections.ts'

export interface StopReport {
  /** Requests that had no answer when the time was over. */
  readonly cut: number
}

/** The parts of a server that have to be stopped. */
export interface Stoppable {
  readonly app: FastifyInstance
  readonly live: Live
  readonly answers: Answers
  readonly bodies: BodyReceiver
  readonly connections: Connections
  /** Aborted first: it ends streams, and `/health/ready` then fails. */
  readonly draining: AbortController
  readonly log: Logger
}

/** How long idle connections stay open, in milliseconds. */
const restMs = 250
/** How long requests may still arrive, in milliseconds, and at most half of the time. After that they are refused. */
const arrivalMs = 2_000
/** The last part of the time. Writes that still wait then are refused, and get an answer. */
const refusalShare = 0.2
/** How much longer than promised closing the store may take, in milliseconds. After that the store is abandoned. */
const closeGraceMs = 1_000

/**
 * Stops a server in order. It refuses new connections, answers requests on open ones with `Connection: close`, and answers all requests
 * that have arrived. After a while it refuses requests that are still arriving. Writes that the database does not take in time get 503 and
 * their outcome. Requests without an answer by then are cut off. Finally the live layer stores what it has accepted, and closes the store.
 */
export async function stopServer(server: Stoppable, timeoutMs: number): Promise<StopReport> {
  const { app, live, answers, bodies, connections, draining, log } = server
  const end = performance.now() + timeoutMs
  const leftMs = () => Math.max(0, end - performance.now())
  answers.closeConnections()
  draining.abort()
  connections.refuseNew()
  await connections.drained(Math.min(arrivalMs, timeoutMs / 2), Math.min(restMs, timeoutMs / 4))
  bodies.refuseAll()
  connections.refuseHeads()
  await connections.drained(leftMs() - timeoutMs * refusalShare, 0)
  const stopped = live.stop(connections.count === 0 ? leftMs() : leftMs() / 2)
  await connections.drained(leftMs(), 0)
  const cut = connections.cutOff()
  if (cut > 0) log.warn({ cut, timeoutMs }, 'the time to stop is over: requests were cut off')
  await Promise.all([app.close(), within(leftMs() + closeGraceMs, stopped)])
  return { cut }
}
