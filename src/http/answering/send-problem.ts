import type { FastifyReply, FastifyRequest } from 'fastify'
import type { CoordinatorError } from '../../errors.ts'
import type { Logger } from '../../telemetry/logging.ts'
import type { RouteInfo } from '../routing/route-timer.ts'
import type { Answers } from './answers.ts'
import { mustClose } from './must-close.ts'
import {
  PROBLEM_TYPE,
  problemDocument,
  retryAfterSeconds,
  shownRevision,
  withWriteOutcome,
} from './problem.ts'
import { translateError } from './translate-error.ts'

/** Answers errors: every error answer of the coordinator is made here, but for bytes that are no HTTP. */
export class ProblemSender {
  readonly #answers: Answers
  readonly #log: Logger

  constructor(answers: Answers, log: Logger) {
    this.#answers = answers
    this.#log = log
  }

  /** @param thrown anything; what is no error of ours is logged as a fault */
  send(request: FastifyRequest, reply: FastifyReply, thrown: unknown): void {
    reply.route ??= routeOf(request)
    const { operation } = reply.route ?? {}
    const translated = translateError(thrown)
    const error = operation?.writes === true ? withWriteOutcome(translated) : translated
    this.#logFault(request, reply, error)
    const headers = extraHeaders(error)
    // A body that arrived too slowly is not read to its end either.
    if (mustClose(request.raw) || error.code === 'COORD_REQUEST_TIMEOUT') headers.push('Connection', 'close')
    const document = problemDocument(error, request.id)
    // Whether something was written is no question after a read.
    const body = JSON.stringify(isRead(request) ? { ...document, outcome: undefined } : document)
    const answer = { status: error.status, body, contentType: PROBLEM_TYPE, headers }
    const revision = shownRevision(error)
    if (operation?.state === true || operation?.writes === true)
      this.#answers.sendState(reply, revision === undefined ? answer : { ...answer, revision })
    else this.#answers.send(reply, answer)
  }

  #logFault(request: FastifyRequest, reply: FastifyReply, error: CoordinatorError): void {
    const members = { requestId: request.id, route: reply.route?.pattern, err: error }
    if (error.code === 'COORD_INTERNAL') this.#log.error(members, 'a request met a fault of the coordinator')
    else if (error.status >= 500) this.#log.debug(members, 'a request failed')
  }
}

function isRead({ method }: FastifyRequest): boolean {
  return method === 'GET' || method === 'HEAD'
}

function extraHeaders(error: CoordinatorError): string[] {
  const headers: string[] = []
  const seconds = retryAfterSeconds(error)
  if (seconds !== undefined) headers.push('Retry-After', String(seconds))
  const allow = error.extra['allow']
  if (Array.isArray(allow)) headers.push('Allow', allow.join(', '))
  return headers
}

/** The route of a request that was refused before its handler began. */
function routeOf(request: FastifyRequest): RouteInfo | undefined {
  const { url, config, method } = request.routeOptions
  if (url === undefined || request.is404) return undefined
  return { method: String(method), pattern: url, operation: config.operation }
}
