import type { FastifyReply, FastifyRequest } from 'fastify'
import { denialReasonOf } from '../../access/denial.ts'
import type { Principal } from '../../access/principal.ts'
import type { CoordinatorError } from '../../errors.ts'
import type { Logger } from '../../telemetry/logging.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import { operationId } from '../reading/operation.ts'
import type { Answers } from './answers.ts'
import type { RouteInfo } from './count-answer.ts'
import { Denials } from './denials.ts'
import { mustClose } from './must-close.ts'
import {
  PROBLEM_TYPE,
  problemHeaders,
  problemText,
  shownRevision,
  withRequestPaths,
  withWriteOutcome,
} from './problem.ts'
import { translateError } from './translate-error.ts'

/** Answers errors. Every error answer of the coordinator is made here, except answers to bytes that are not HTTP. */
export class ProblemSender {
  readonly #answers: Answers
  readonly #log: Logger
  readonly #denials: Denials
  readonly #metrics: Metrics

  constructor(answers: Answers, about: { readonly log: Logger; readonly metrics: Metrics }) {
    this.#answers = answers
    this.#log = about.log
    this.#denials = new Denials(about)
    this.#metrics = about.metrics
  }

  /** @param thrown anything; if it is not a `CoordinatorError`, it is logged as a fault */
  send(request: FastifyRequest, reply: FastifyReply, thrown: unknown): void {
    reply.route ??= routeOf(request)
    const { operation } = reply.route ?? {}
    const error = asSent(translateError(thrown), reply.route)
    this.#logFault(request, reply, error)
    this.#denials.note(request, reply, error)
    this.#metrics.http.problem(error.code)
    const headers = problemHeaders(error)
    // If a body arrived too slowly, or a stopping server refuses it, its rest is not read, and the connection closes.
    const isCut =
      error.code === 'COORD_REQUEST_TIMEOUT' ||
      (!request.raw.complete && error.code === 'COORD_SHUTTING_DOWN')
    if (isCut || mustClose(request.raw)) headers.push('Connection', 'close')
    const body = problemText(error, request)
    const answer = { status: error.status, body, contentType: PROBLEM_TYPE, headers }
    const revision = shownRevision(error)
    // Whoever was not let in, or is denied, does not learn how far the journal is.
    const isStranger = (request.principal as Principal | undefined) === undefined
    const mayKnow = !isStranger && denialReasonOf(error) === undefined
    if (mayKnow && (operation?.state === true || operation?.writes === true))
      this.#answers.sendState(reply, revision === undefined ? answer : { ...answer, revision })
    else this.#answers.send(reply, answer)
  }

  #logFault(request: FastifyRequest, reply: FastifyReply, error: CoordinatorError): void {
    const members = { requestId: request.id, route: reply.route?.pattern, err: error }
    if (error.code === 'COORD_INTERNAL') this.#log.error(members, 'a request met a fault of the coordinator')
    else if (error.status >= 500) this.#log.debug(members, 'a request failed')
  }
}

/** Converts an error of the domain to the terms of the request. */
function asSent(error: CoordinatorError, route: RouteInfo | undefined): CoordinatorError {
  const { operation } = route ?? {}
  const isWrite = operation?.writes === true || operation?.writesTokens === true
  const told = withReference(isWrite ? withWriteOutcome(error) : error, route)
  return told.errors.length === 0 ? told : withRequestPaths(told, operation?.query?.shape ?? {})
}

/** Lets a hint that names the reference lead to the part about this request, which has its rules. */
function withReference(error: CoordinatorError, route: RouteInfo | undefined): CoordinatorError {
  if (route?.operation === undefined || route.operation.hidden === true) return error
  if (error.status !== 400 || !error.hint.includes('`/docs`')) return error
  return error.with({ hint: error.hint.replace('`/docs`', `\`/docs#${operationId(route)}\``) })
}

/** The route of a request that was refused before its handler began. */
function routeOf(request: FastifyRequest): RouteInfo | undefined {
  const { url, config, method } = request.routeOptions
  if (url === undefined || request.is404) return undefined
  return { method: String(method), pattern: url, operation: config.operation }
}
