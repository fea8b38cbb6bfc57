import { CoordinatorError } from '../../errors.ts'
import { isCertificateCode } from '../../text/certificate-codes.ts'
import { type Fault, notWritten, unknown } from './fault.ts'

const tlsHint =
  'Compare SUPABASE_URL with the API settings of the project (https:// or http://, the host). Where a proxy of your own signs certificates, name its authority in NODE_EXTRA_CA_CERTS.'

const routeHint =
  'Check the host in SUPABASE_URL, and whether firewalls let this machine reach it: proxies that HTTPS_PROXY names are not used.'

const notRouted = notWritten('COORD_STORE_UNAVAILABLE', 'cannot be routed to', routeHint)

/** Faults by the code of Node.js. With these codes no request was sent. */
const byCode: Readonly<Record<string, Fault>> = {
  ENOTFOUND: notWritten('COORD_STORE_DNS', 'has a name that does not resolve'),
  EAI_AGAIN: notWritten('COORD_STORE_DNS', 'has a name that no DNS answers for'),
  ECONNREFUSED: notWritten('COORD_STORE_REFUSED', 'refuses connections'),
  EHOSTUNREACH: notRouted,
  ENETUNREACH: notRouted,
  UND_ERR_CONNECT_TIMEOUT: notWritten('COORD_STORE_TIMEOUT', 'did not take a connection in time', routeHint),
}

const certificateFault = notWritten('COORD_STORE_TLS', 'cannot be talked to in an encrypted way', tlsHint)

const cutFault = unknown(
  'COORD_STORE_UNAVAILABLE',
  'ended the connection before its answer was complete',
  'It usually passes. If it stays, look for what cuts connections between this machine and SUPABASE_URL.',
)

const portFault = notWritten(
  'COORD_STORE_API_MISSING',
  'is said to be at a port of another protocol, which HTTP clients refuse',
  'Correct the port in SUPABASE_URL; a hosted project needs none.',
)

export interface NetworkFailure {
  /** Host and port, for the text. */
  readonly host: string
  readonly writing: boolean
}

/**
 * Translates errors of the network or the HTTP client, by their code. The original error does not become the cause: it may contain headers,
 * and causes are logged.
 */
export function networkFault(thrown: unknown, { host, writing }: NetworkFailure): CoordinatorError {
  const code = codeOf(thrown)
  const fault = byCode[code] ?? (isCertificateCode(code) ? certificateFault : faultWithoutCode(thrown))
  return new CoordinatorError(fault.code, {
    detail: `The Data API at ${host} ${fault.text}${code === '' ? '' : ` (${code})`}.`,
    ...(fault.hint === undefined ? {} : { hint: fault.hint }),
    ...(code === '' ? {} : { sourceCode: code }),
    ...(writing ? { outcome: fault.outcome } : {}),
  })
}

/** The error of a call that exceeded its deadline. The database may still be working on it. */
export function tooLate({ host, writing }: NetworkFailure, timeoutMs: number): CoordinatorError {
  return new CoordinatorError('COORD_STORE_TIMEOUT', {
    detail: `The Data API at ${host} did not answer within ${timeoutMs} ms.`,
    hint: 'A paused Supabase project hangs like this: see the dashboard. Where answers are only slow, raise DATABASE_STATEMENT_TIMEOUT_MS.',
    ...(writing ? { outcome: 'unknown' } : {}),
  })
}

/** `fetch` does not connect to ports of other protocols, and has no code for this error: https://fetch.spec.whatwg.org/#port-blocking */
function faultWithoutCode(thrown: unknown): Fault {
  const { cause } = Object(thrown) as { cause?: unknown }
  return cause instanceof Error && cause.message === 'bad port' ? portFault : cutFault
}

/** The innermost code: `fetch` wraps the error, and several addresses of one name fail together. */
function codeOf(thrown: unknown, depth = 0): string {
  if (typeof thrown !== 'object' || thrown === null || depth > 5) return ''
  const { cause, code, errors } = thrown as { cause?: unknown; code?: unknown; errors?: unknown }
  const inner = codeOf(cause, depth + 1) || (Array.isArray(errors) ? codeOf(errors[0], depth + 1) : '')
  return inner !== '' ? inner : typeof code === 'string' ? code : ''
}
