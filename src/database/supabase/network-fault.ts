import { CoordinatorError, type ErrorCode, type ErrorOptions, type WriteOutcome } from '../../errors.ts'
import { isCertificateCode } from '../sql-functions/certificate-codes.ts'

interface Fault {
  readonly code: ErrorCode
  /** Ends the sentence "The Data API at HOST ...". */
  readonly text: string
  /** For writes; `not_written` where no request can have left. */
  readonly outcome: WriteOutcome
  readonly hint?: string
}

const tlsHint =
  'Compare SUPABASE_URL with the API settings of the project (https:// or http://, the host). Where a proxy of your own signs certificates, name its authority in NODE_EXTRA_CA_CERTS.'

const routeHint =
  'Check the host in SUPABASE_URL, and whether firewalls let this machine reach it: proxies that HTTPS_PROXY names are not used.'

/** Faults by the code of Node.js. With these codes no request has left. */
const byCode: Readonly<Record<string, Fault>> = {
  ENOTFOUND: { code: 'COORD_STORE_DNS', text: 'has a name that does not resolve', outcome: 'not_written' },
  EAI_AGAIN: { code: 'COORD_STORE_DNS', text: 'has a name that no DNS answers for', outcome: 'not_written' },
  ECONNREFUSED: { code: 'COORD_STORE_REFUSED', text: 'refuses connections', outcome: 'not_written' },
  EHOSTUNREACH: {
    code: 'COORD_STORE_UNAVAILABLE',
    text: 'cannot be routed to',
    outcome: 'not_written',
    hint: routeHint,
  },
  ENETUNREACH: {
    code: 'COORD_STORE_UNAVAILABLE',
    text: 'cannot be routed to',
    outcome: 'not_written',
    hint: routeHint,
  },
  UND_ERR_CONNECT_TIMEOUT: {
    code: 'COORD_STORE_TIMEOUT',
    text: 'did not take a connection in time',
    outcome: 'not_written',
    hint: routeHint,
  },
}

const certificateFault: Fault = {
  code: 'COORD_STORE_TLS',
  text: 'cannot be talked to in an encrypted way',
  outcome: 'not_written',
  hint: tlsHint,
}

const cutFault: Fault = {
  code: 'COORD_STORE_UNAVAILABLE',
  text: 'ended the connection before its answer was complete',
  outcome: 'unknown',
  hint: 'It usually passes. If it stays, look for what cuts connections between this machine and SUPABASE_URL.',
}

const portFault: Fault = {
  code: 'COORD_STORE_API_MISSING',
  text: 'is said to be at a port of another protocol, which HTTP clients refuse',
  outcome: 'not_written',
  hint: 'Correct the port in SUPABASE_URL; a hosted project needs none.',
}

export interface NetworkFailure {
  /** Host and port, for the text. */
  readonly host: string
  readonly writing: boolean
}

/**
 * Translates what the network or the HTTP client threw, by its code. The original is not kept as cause: it may hold
 * headers, and causes are logged.
 */
export function networkFault(thrown: unknown, { host, writing }: NetworkFailure): CoordinatorError {
  const code = codeOf(thrown)
  const fault = byCode[code] ?? (isCertificateCode(code) ? certificateFault : faultWithoutCode(thrown))
  return new CoordinatorError(fault.code, {
    detail: `The Data API at ${host} ${fault.text}${code === '' ? '' : ` (${code})`}.`,
    ...hintOf(fault),
    ...(code === '' ? {} : { sourceCode: code }),
    ...(writing ? { outcome: fault.outcome } : {}),
  })
}

/** The error of a call that met its deadline: the database may still work on it. */
export function tooLate({ host, writing }: NetworkFailure, timeoutMs: number): CoordinatorError {
  return new CoordinatorError('COORD_STORE_TIMEOUT', {
    detail: `The Data API at ${host} did not answer within ${timeoutMs} ms.`,
    hint: 'A paused Supabase project hangs like this: see the dashboard. Where answers are only slow, raise DATABASE_STATEMENT_TIMEOUT_MS.',
    ...(writing ? { outcome: 'unknown' } : {}),
  })
}

/** `fetch` talks to no port of another protocol, and has no code for that: https://fetch.spec.whatwg.org/#port-blocking */
function faultWithoutCode(thrown: unknown): Fault {
  const { cause } = Object(thrown) as { cause?: unknown }
  return cause instanceof Error && cause.message === 'bad port' ? portFault : cutFault
}

function hintOf({ hint }: Fault): Pick<ErrorOptions, 'hint'> {
  return hint === undefined ? {} : { hint }
}

/** The innermost code: `fetch` wraps what happened, and several addresses of one name fail together. */
function codeOf(thrown: unknown, depth = 0): string {
  if (typeof thrown !== 'object' || thrown === null || depth > 5) return ''
  const { cause, code, errors } = thrown as { cause?: unknown; code?: unknown; errors?: unknown }
  const inner = codeOf(cause, depth + 1) || (Array.isArray(errors) ? codeOf(errors[0], depth + 1) : '')
  return inner !== '' ? inner : typeof code === 'string' ? code : ''
}
