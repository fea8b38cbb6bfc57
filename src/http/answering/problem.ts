import type { CoordinatorError, WriteOutcome } from '../../errors.ts'
import type { Revision } from '../../records/record.ts'
import { bodyTypes, MERGE_PATCH_TYPE } from '../reading/body-media-type.ts'

/** The body of an error answer: RFC 9457, with additional members. `errors.md` explains the codes. */
export interface ProblemDocument {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly code: string
  readonly detail: string
  readonly hint: string
  readonly retryable: boolean
  readonly requestId?: string
  readonly errors?: readonly unknown[]
  readonly outcome?: WriteOutcome
  readonly success: false
  /** The same as `detail`, for clients that look for it under this name. */
  readonly message: string
  readonly [more: string]: unknown
}

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8'

/** Path to the explanation of a code; also the `type` of its problems. */
function errorPage(code: string): string {
  return `/docs/errors#${code}`
}

export function problemDocument(error: CoordinatorError, requestId?: string): ProblemDocument {
  const { code, detail, title, status, hint, retryable, errors, outcome, extra } = error
  return {
    ...extra,
    type: errorPage(code),
    title,
    status,
    code,
    detail,
    hint,
    retryable,
    ...(requestId === undefined ? {} : { requestId }),
    ...(errors.length === 0 ? {} : { errors }),
    ...(outcome === undefined ? {} : { outcome }),
    success: false,
    message: detail,
  }
}

/** The text of an error answer. Answers to reads have no `outcome`, because a read writes nothing. */
export function problemText(
  error: CoordinatorError,
  request: { readonly method: string | undefined; readonly id: string },
): string {
  const document = problemDocument(error, request.id)
  const isRead = request.method === 'GET' || request.method === 'HEAD'
  return JSON.stringify(isRead ? { ...document, outcome: undefined } : document)
}

/**
 * Names each fault by its path in the request. The domain knows the names of parameters, but not whether they came from the query string.
 */
export function withRequestPaths(
  error: CoordinatorError,
  parameters: Readonly<Record<string, unknown>>,
): CoordinatorError {
  const { errors } = error
  const named = errors.map((problem) => ({ ...problem, path: requestPath(problem.path, parameters) }))
  return named.every(({ path }, at) => path === errors[at]?.path) ? error : error.with({ errors: named })
}

function requestPath(path: string, parameters: Readonly<Record<string, unknown>>): string {
  if (path === 'idempotencyKey') return 'header.idempotency-key'
  return Object.hasOwn(parameters, path) ? `query.${path}` : path
}

/** The revision at which something does not exist, if it is not the revision of the view: for example a moment of the past. */
export function shownRevision({ status, extra }: CoordinatorError): Revision | undefined {
  const { revision } = extra
  return status === 404 && typeof revision === 'number' ? revision : undefined
}

/** The time to wait before another try, in seconds; `undefined` if the request has to change. */
export function retryAfterSeconds(error: CoordinatorError): number | undefined {
  if (error.retryAfterSeconds !== undefined) return error.retryAfterSeconds
  // The same question would take too long again.
  if (error.code === 'COORD_QUESTION_TOO_LARGE') return undefined
  // A fault that somebody has to repair takes longer than one that passes by itself.
  return error.status === 503 ? (error.retryable ? 2 : 10) : undefined
}

/** The headers that belong to an error: name, value, name, value. */
export function problemHeaders(error: CoordinatorError): string[] {
  const seconds = retryAfterSeconds(error)
  const { allow, accept } = error.extra
  const challenge = challengeOf(error)
  return [
    ...(seconds === undefined ? [] : ['Retry-After', String(seconds)]),
    ...(Array.isArray(allow) ? ['Allow', allow.join(', ')] : []),
    ...(Array.isArray(accept) ? ['Accept', accept.join(', ')] : []),
    ...(takesPatch({ allow, accept }) ? ['Accept-Patch', bodyTypes('PATCH').join(', ')] : []),
    ...(challenge === undefined ? [] : ['WWW-Authenticate', challenge]),
  ]
}

/** Whether an error is about a path that takes PATCH, so that the answer names the types of patches: RFC 5789, 3.1. */
function takesPatch({ allow, accept }: { readonly allow: unknown; readonly accept: unknown }): boolean {
  return (
    (Array.isArray(allow) && allow.includes('PATCH')) ||
    (Array.isArray(accept) && accept.includes(MERGE_PATCH_TYPE))
  )
}

/** What a client has to send: RFC 6750, 3. */
function challengeOf({ code, status, extra: { scope } }: CoordinatorError): string | undefined {
  const bearer = 'Bearer realm="coordinator"'
  if (code === 'COORD_AUTH_REQUIRED') return bearer
  if (status === 401) return `${bearer}, error="invalid_token"`
  if (code !== 'COORD_SCOPE_MISSING') return undefined
  return `${bearer}, error="insufficient_scope"${typeof scope === 'string' ? `, scope="${scope}"` : ''}`
}

/** Adds to the error of a write whether the write may have happened, whatever created the error. */
export function withWriteOutcome(error: CoordinatorError): CoordinatorError {
  if (error.outcome !== undefined || error.status < 500) return error
  return error.withOutcome(error.code === 'COORD_NOT_LOADED' ? 'not_written' : 'unknown')
}
