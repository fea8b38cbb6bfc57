import { CoordinatorError } from '../../errors.ts'
import { codeOfSqlState, outcomeOfSqlState } from '../sql-functions/sql-state.ts'
import { type Fault, notWritten, unknown } from './fault.ts'
import type { MendingAdvice } from './mending-advice.ts'

/** An answer of the Data API, or of a gateway in front of it, that is not the reply of a function. */
export interface Answer {
  readonly status: number
  /** The header, in lower case; empty if it is missing. */
  readonly contentType: string
  readonly body: string
  /** The header `Retry-After`, unchanged. */
  readonly retryAfter: string | undefined
  /** The header `Proxy-Status`, where PostgREST repeats its code. */
  readonly proxyStatus: string | undefined
}

export interface AnswerContext {
  /** Host and port, for the text. */
  readonly host: string
  /** The function in `public` that was called. */
  readonly called: string
  readonly writing: boolean
  readonly advice: MendingAdvice
}

/**
 * Codes of PostgREST itself. Source: PostgREST documentation, "Errors". `not_written` is only for faults that it finds before it runs a
 * statement.
 */
const byApiCode: Readonly<Record<string, Fault>> = {
  PGRST000: notWritten('COORD_STORE_API_OFFLINE', 'cannot connect to its database'),
  // An internal error of its connection. The code does not tell whether the error came before or after a statement.
  PGRST001: unknown('COORD_STORE_API_OFFLINE', 'lost the connection to its database'),
  PGRST002: notWritten('COORD_STORE_API_OFFLINE', 'cannot read the schema of its database yet'),
  PGRST003: notWritten('COORD_STORE_CONNECTIONS', 'found no free connection to its database in time'),
  PGRST106: notWritten('COORD_STORE_API_SCHEMA', 'does not offer the schema `public`'),
  PGRST202: notWritten('COORD_SCHEMA_OLD', 'does not know the function'),
  PGRST203: notWritten('COORD_SCHEMA_OLD', 'knows several versions of the function'),
  PGRST205: notWritten('COORD_SCHEMA_OLD', 'does not know the table'),
  PGRST300: notWritten('COORD_STORE_AUTH', 'has no secret to check keys with'),
  // PostgREST 12 also answers this for an expired key, PostgREST 14 only for an unknown one.
  PGRST301: notWritten('COORD_STORE_AUTH', 'does not accept the key: it may be unknown, or have expired'),
  PGRST302: notWritten('COORD_STORE_AUTH', 'found no key in the request'),
  PGRST303: notWritten(
    'COORD_STORE_AUTH',
    'does not accept the claims of the key: it may have expired, or a clock is wrong',
  ),
}

/**
 * PostgREST answers 400 with an empty code when its connection to the database breaks while it waits for the answer to a statement or to
 * `commit`. Seen with PostgREST 12.2.12 and 14.17, also when PostgreSQL restarts in order. Each time that the answer to `commit` was lost,
 * the write was stored.
 */
const brokenWhileWaiting = unknown(
  'COORD_STORE_API_OFFLINE',
  'lost the connection to its database while it waited for an answer',
)

/**
 * Answers of gateways by status, if the body has no code. Source: Supabase documentation, "HTTP status codes". With a status that is
 * `not_written` here, a gateway refuses a request and does not pass it on.
 */
const byStatus: Readonly<Record<number, Fault>> = {
  401: notWritten('COORD_STORE_AUTH', 'does not accept the key'),
  402: notWritten('COORD_STORE_QUOTA', 'is restricted'),
  403: notWritten('COORD_STORE_AUTH', 'does not accept the key'),
  404: notWritten('COORD_STORE_API_MISSING', 'has nothing at the path of the Data API'),
  406: notWritten('COORD_STORE_API_SCHEMA', 'does not offer the schema `public`'),
  408: unknown('COORD_STORE_TIMEOUT', 'waited too long for the request'),
  413: notWritten('COORD_COMMIT_REFUSED', 'takes no request of this size'),
  429: notWritten('COORD_STORE_RATE_LIMITED', 'wants fewer requests'),
  504: unknown('COORD_STORE_TIMEOUT', 'waited too long for its database'),
  540: notWritten('COORD_STORE_PAUSED', 'belongs to a project that is paused'),
  544: unknown('COORD_STORE_TIMEOUT', 'waited too long for its database'),
}

/** Statuses that mean the same on a web page as in JSON. A web page with another status comes from some gateway. */
const tellingOnPages = new Set([402, 413, 429, 540, 544])

/**
 * Translates an answer by its status, its content type and the code in its body. It neither reads nor repeats the text, which may contain
 * data that was sent.
 */
export function answerFault(answer: Answer, context: AnswerContext): CoordinatorError {
  const apiCode = apiCodeOf(answer)
  const fault = faultOf(answer, apiCode, context)
  const { hint, text } = context.advice.for(fault.code, context.called)
  const retryAfterSeconds = secondsOf(answer.retryAfter)
  return new CoordinatorError(fault.code, {
    detail: `The Data API at ${context.host} ${text ?? fault.text} (${apiCode ?? `HTTP ${answer.status}`}).`,
    ...(hint === undefined ? {} : { hint }),
    sourceCode: apiCode ?? `HTTP${answer.status}`,
    ...(context.writing ? { outcome: fault.outcome } : {}),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  })
}

function faultOf(answer: Answer, apiCode: string | undefined, { advice, writing }: AnswerContext): Fault {
  if (apiCode !== undefined)
    return (
      byApiCode[apiCode] ??
      (apiCode.startsWith('PGRST') ? unforeseen : sqlFault(apiCode, { advice, writing }))
    )
  if (hasEmptyCode(answer)) return brokenWhileWaiting
  const { status, contentType } = answer
  const known = byStatus[status]
  const isPage = contentType.includes('html')
  if (known !== undefined && (!isPage || tellingOnPages.has(status))) return known
  const text =
    status >= 300 && status < 400
      ? 'sends elsewhere'
      : isPage
        ? 'answers with a web page'
        : 'answers with an unexpected status'
  // The gateway may have passed the request on. Only a known answer proves that nothing was written.
  return unknown('COORD_STORE_GATEWAY', text)
}

/** A code of PostgREST that this program does not know. */
const unforeseen = unknown('COORD_STORE_FAULT', 'reports an error that is not foreseen')

/** The SQLSTATE for a role that the database does not have. The role is in the key. */
const UNKNOWN_ROLE = '22023'

function sqlFault(state: string, { advice, writing }: Pick<AnswerContext, 'advice' | 'writing'>): Fault {
  if (state === UNKNOWN_ROLE)
    return notWritten('COORD_STORE_AUTH', 'accepts a key whose role its database does not have')
  const byState = codeOfSqlState(state)
  const code =
    byState === 'COORD_STORE_RIGHTS' && advice.access === 'anon'
      ? 'COORD_STORE_ANON'
      : byState === 'COORD_COMMIT_REFUSED' && !writing
        ? 'COORD_STORE_FAULT'
        : byState
  const text = writing ? 'reports that its database did not do it' : 'reports an error of its database'
  return { code, text, outcome: outcomeOfSqlState(state) }
}

/** A PGRST code or a SQLSTATE. Other codes, of gateways and of imitations of the Data API, are not reliable. */
function apiCodeOf(answer: Answer): string | undefined {
  const code = codeOf(answer)
  return code !== undefined && /^(PGRST[0-9X]\d\d|(?=.*\d)[0-9A-Z]{5})$/.test(code) ? code : undefined
}

function hasEmptyCode(answer: Answer): boolean {
  return codeOf(answer) === ''
}

function codeOf({ contentType, body, proxyStatus }: Answer): string | undefined {
  const inHeader = /^PostgREST;\s*error=(\w*)/.exec(proxyStatus ?? '')?.[1]
  return (contentType.includes('json') ? codeInBody(body) : undefined) ?? inHeader
}

function codeInBody(body: string): string | undefined {
  try {
    const { code } = (JSON.parse(body) ?? {}) as { code?: unknown }
    return typeof code === 'string' ? code : undefined
  } catch {
    // An error without a readable body is judged by its status alone.
    return undefined
  }
}

/**
 * The seconds of `Retry-After`, which may be a number or a date; at most an hour. PostgREST sends 0 for faults that last longer: then this
 * program uses its own pauses.
 */
function secondsOf(header: string | undefined): number | undefined {
  if (header === undefined) return undefined
  const seconds = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1_000
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(3_600, Math.ceil(seconds)) : undefined
}
