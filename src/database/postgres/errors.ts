import { CoordinatorError, type ErrorCode, type WriteOutcome } from '../../errors.ts'

/** Errors by SQLSTATE, where the whole code decides. Source: PostgreSQL documentation, appendix A. */
const byState: Readonly<Record<string, ErrorCode>> = {
  '0A000': 'COORD_STORE_FAULT',
  '25006': 'COORD_STORE_STANDBY',
  '28000': 'COORD_STORE_AUTH',
  '28P01': 'COORD_STORE_AUTH',
  '3D000': 'COORD_STORE_DATABASE_MISSING',
  '3F000': 'COORD_SCHEMA_OLD',
  '40001': 'COORD_STORE_BUSY',
  '40P01': 'COORD_STORE_BUSY',
  '42501': 'COORD_STORE_RIGHTS',
  '42703': 'COORD_SCHEMA_OLD',
  '42883': 'COORD_SCHEMA_OLD',
  '42P01': 'COORD_SCHEMA_OLD',
  '53100': 'COORD_STORE_FULL',
  '53300': 'COORD_STORE_CONNECTIONS',
  '53400': 'COORD_STORE_CONNECTIONS',
  '55P03': 'COORD_STORE_BUSY',
  '57014': 'COORD_STORE_TIMEOUT',
}

/** Errors by the first two characters, where the code is not in the table above. */
const byClass: Readonly<Record<string, ErrorCode>> = {
  '08': 'COORD_STORE_UNAVAILABLE',
  '21': 'COORD_COMMIT_REFUSED',
  '22': 'COORD_COMMIT_REFUSED',
  '23': 'COORD_COMMIT_REFUSED',
  '53': 'COORD_STORE_UNAVAILABLE',
  '54': 'COORD_COMMIT_REFUSED',
  '57': 'COORD_STORE_UNAVAILABLE',
  '58': 'COORD_STORE_UNAVAILABLE',
}

/** What Node and OpenSSL say where a certificate is not accepted: waiting does not help. */
const certificateCodes =
  /^(CERT_|ERR_TLS_|ERR_SSL_|EPROTO$|DEPTH_ZERO_SELF_SIGNED_CERT$|SELF_SIGNED_CERT|UNABLE_TO_)/

/**
 * States with which a server ends the session or never began it; and where it says that it takes no writes. Other
 * connections to the same server are then worth no more than this one.
 */
const sessionEnding = /^(08|25006|57P|58)/

/** What the driver says without a code. It is pinned, and tests meet each of them. */
const driverTexts: readonly (readonly [RegExp, ErrorCode])[] = [
  [/^SASL:|password must be a string/, 'COORD_STORE_AUTH'],
  [/does not support SSL|error establishing an SSL/, 'COORD_STORE_TLS'],
]

export interface Failure {
  /** What was being done, for the text: `connecting to 10.0.0.1:5432`. */
  readonly doing: string
  /** For writes: what is known about it where the server did not answer. */
  readonly unanswered?: WriteOutcome
}

/**
 * Translates what the driver, the network or the server threw. Nothing above this file sees a SQLSTATE. The original is not
 * kept as cause: its members hold values of the statement, and causes are logged.
 */
export function translateError(thrown: unknown, { doing, unanswered }: Failure): CoordinatorError {
  if (thrown instanceof CoordinatorError) return thrown
  const { code = '', message } = asError(thrown)
  const state = isServerError(thrown) ? code : undefined
  // An error that the server sent means that its transaction is gone; one that ends the session may come after a commit.
  const outcome = state !== undefined && !sessionEnding.test(state) ? 'not_written' : unanswered
  return new CoordinatorError(state === undefined ? codeWithoutState(code, message) : codeOfState(state), {
    detail: `The database failed ${doing}: ${firstLine(message)}.`,
    ...(code === '' ? {} : { sourceCode: code }),
    ...(outcome === undefined || unanswered === undefined ? {} : { outcome }),
  })
}

/** Whether after this failure the connection, and those beside it, must not be used again. */
export function endsSession(thrown: unknown): boolean {
  return !isServerError(thrown) || sessionEnding.test(asError(thrown).code ?? '')
}

/** Whether a server refused the connection for not being encrypted, or for being so. */
export function refusesEncryption(thrown: unknown): boolean {
  const { code = '', message } = asError(thrown)
  return code === '28000' || certificateCodes.test(code) || /does not support SSL/.test(message)
}

function codeOfState(state: string): ErrorCode {
  return byState[state] ?? byClass[state.slice(0, 2)] ?? 'COORD_STORE_FAULT'
}

function codeWithoutState(code: string, message: string): ErrorCode {
  if (certificateCodes.test(code)) return 'COORD_STORE_TLS'
  // An address that answers nothing, a name that does not resolve, a connection that was cut: all may pass.
  return driverTexts.find(([text]) => text.test(message))?.[1] ?? 'COORD_STORE_UNAVAILABLE'
}

/** Whether a PostgreSQL server, or a pooler in its place, sent the error: it carries a severity. */
function isServerError(thrown: unknown): boolean {
  return typeof (thrown as { severity?: unknown } | undefined)?.severity === 'string'
}

function asError(thrown: unknown): { readonly code?: string; readonly message: string } {
  // Several addresses of one name fail together, each for its own reason.
  if (thrown instanceof AggregateError && thrown.errors.length > 0) return asError(thrown.errors[0])
  return thrown instanceof Error
    ? (thrown as Error & { code?: string })
    : { message: 'it threw something that is no error' }
}

function firstLine(message: string): string {
  return (message.split('\n')[0] ?? '').replace(/\.$/, '').slice(0, 300)
}
