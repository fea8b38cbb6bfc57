import type { DatabaseError } from 'pg'
import { CoordinatorError, type ErrorCode, type WriteOutcome } from '../../errors.ts'
import { isCertificateCode } from '../../text/certificate-codes.ts'
import { codeOfSqlState, endsSessionBySqlState } from '../sql-functions/sql-state.ts'
import type { FileLogin } from './password-file.ts'

/** Errors of the driver that have no code. Its version is fixed, and tests meet each of these texts. */
const driverTexts: readonly (readonly [RegExp, ErrorCode])[] = [
  [/^SASL|password must be a string|^channel binding is required/, 'COORD_STORE_AUTH'],
  [/does not support SSL|error establishing an SSL/, 'COORD_STORE_TLS'],
]

/**
 * Answers of PgBouncer to a new connection. All refusals have the SQLSTATE 08P01 ("protocol violation") and, unlike errors of a server, no
 * `routine`: only the text tells a wrong password from a full pool. Source: PgBouncer, `src/client.c`, calls of `disconnect_client`; seen
 * with 1.18, for each of its `auth_type`s with passwords.
 */
const poolerTexts: readonly (readonly [RegExp, ErrorCode])[] = [
  [/^(password|SASL) authentication failed\b|^no such user\b/, 'COORD_STORE_AUTH'],
  [/^no such database\b/, 'COORD_STORE_DATABASE_MISSING'],
]

export interface Failure {
  /** The action that failed, for the text: `connecting to 10.0.0.1:5432`. */
  readonly doing: string
  /** For writes: the outcome if the server did not answer. */
  readonly unanswered?: WriteOutcome
}

/**
 * Translates errors of the driver, the network or the server. No code above this file sees a SQLSTATE. The original error does not become
 * the cause: its members contain values of the statement, and causes are logged.
 */
export function translateError(thrown: unknown, { doing, unanswered }: Failure): CoordinatorError {
  if (thrown instanceof CoordinatorError) return thrown
  const { code = '', message } = asError(thrown)
  const state = isServerError(thrown) ? code : undefined
  // After an error of the server its transaction is gone. An error that ends the session may come after a commit.
  const outcome = state !== undefined && !endsSessionBySqlState(state) ? 'not_written' : unanswered
  return new CoordinatorError(state === undefined ? codeWithoutState(code, message) : codeOfSqlState(state), {
    detail: `${failed(doing)}: ${firstLine(message)}.`,
    ...(code === '' ? {} : { sourceCode: code }),
    ...(outcome === undefined || unanswered === undefined ? {} : { outcome }),
  })
}

/** What to do about a connection that the server, or the coordinator, finds too weakly encrypted. By the code and the text. */
const encryptionHints: readonly (readonly [RegExp, string])[] = [
  [
    /does not support SSL/,
    'The server has no TLS. Switch it on there (`ssl = on` in postgresql.conf). If the server is on this machine, or in a network that nobody else can read, add `sslmode=disable` to DATABASE_URL instead: then nothing is encrypted.',
  ],
  [
    /^ERR_TLS_CERT_ALTNAME_INVALID/,
    'Connect to a name that the certificate of the server has. If you trust its authority for every name, use `sslmode=verify-ca` with `sslrootcert=FILE`.',
  ],
  [
    /^(SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_)/,
    'Name the certificate of the authority that signed that of the server: `sslrootcert=FILE` in DATABASE_URL.',
  ],
  [
    /^28000 .*no encryption$/,
    'The server wants TLS for this login: use `sslmode=require` in DATABASE_URL, or better `verify-full`.',
  ],
  [
    /channel binding is required/,
    'Use `sslmode=verify-full`, and a server with scram-sha-256 and TLS, without a pooler between; or remove `channel_binding` from DATABASE_URL.',
  ],
]

/** Messages of the driver and of PgBouncer about a missing password. A PostgreSQL server sends a SQLSTATE instead. */
const passwordTexts = /client password must be a|^(password|SASL) authentication failed\b/

/**
 * Translates the error of a failed connection. While a connection opens, an error of a pooler is about the login. Later it has
 * other causes.
 */
export function translateRefusal(
  thrown: unknown,
  { doing, login }: { readonly doing: string; readonly login: FileLogin },
): CoordinatorError {
  const { code = '', message } = asError(thrown)
  if (login.password === undefined && (code === '28P01' || passwordTexts.test(message)))
    return new CoordinatorError('COORD_STORE_AUTH', {
      detail: `${failed(doing)}: it asks for a password, and there is none in DATABASE_URL, PGPASSWORD or the password file.${login.ignored === undefined ? '' : ` ${login.ignored}`}`,
      ...(code === '' ? {} : { sourceCode: code }),
    })
  const translated = translateError(thrown, { doing })
  const hint = encryptionHints.find(([text]) => text.test(`${code} ${message}`))?.[1]
  if (hint !== undefined) return translated.with({ hint })
  if (!isServerError(thrown) || thrown.code !== '08P01' || thrown.routine !== undefined) return translated
  const loginCode = poolerTexts.find(([text]) => text.test(message))?.[1]
  return loginCode === undefined
    ? translated
    : new CoordinatorError(loginCode, { detail: translated.detail, sourceCode: thrown.code })
}

/** A notice that a commit may be on no standby. */
export interface UnreplicatedNotice {
  /** 01000 if the wait was cancelled, 57P01 if the server ends the session. */
  readonly code?: string | undefined
}

/**
 * Whether a notice says that a commit may be on no standby: somebody cancelled the wait for the synchronous standby, or ended the session
 * that waited. Its text is translated, and its code means any warning; only the name of the function in the server tells. Source:
 * PostgreSQL, `SyncRepWaitForLSN` in `src/backend/replication/syncrep.c`, versions 15 to 18.
 */
export function saysUnreplicated({ routine }: { readonly routine?: string | undefined }): boolean {
  return routine === 'SyncRepWaitForLSN'
}

export function unreplicated({ code }: UnreplicatedNotice, { doing, unanswered }: Failure): CoordinatorError {
  return new CoordinatorError('COORD_STORE_UNREPLICATED', {
    detail: `The database stopped waiting for its synchronous standby while ${doing}: a failover may lose the write.`,
    ...(code === undefined ? {} : { sourceCode: code }),
    ...(unanswered === undefined ? {} : { outcome: unanswered }),
  })
}

/** Whether this connection, and the others, must not be used again after the failure. */
export function endsSession(thrown: unknown): boolean {
  return !isServerError(thrown) || endsSessionBySqlState(asError(thrown).code ?? '')
}

/** Whether a server refused the connection because it is, or is not, encrypted. */
export function refusesEncryption(thrown: unknown): boolean {
  const { code = '', message } = asError(thrown)
  return code === '28000' || isCertificateCode(code) || /does not support SSL/.test(message)
}

function codeWithoutState(code: string, message: string): ErrorCode {
  if (isCertificateCode(code)) return 'COORD_STORE_TLS'
  // An address that does not answer, a name that does not resolve, a connection that was cut: all of them may pass.
  return driverTexts.find(([text]) => text.test(message))?.[1] ?? 'COORD_STORE_UNAVAILABLE'
}

/** Whether a PostgreSQL server or a pooler sent the error: only then it has a severity. */
function isServerError(thrown: unknown): thrown is DatabaseError {
  return typeof (thrown as { severity?: unknown } | undefined)?.severity === 'string'
}

function asError(thrown: unknown): { readonly code?: string; readonly message: string } {
  // Several addresses of one name fail together, each for its own reason.
  if (thrown instanceof AggregateError && thrown.errors.length > 0) return asError(thrown.errors[0])
  return thrown instanceof Error
    ? (thrown as Error & { code?: string })
    : { message: 'it threw something that is no error' }
}

function failed(doing: string): string {
  return `${doing.charAt(0).toUpperCase()}${doing.slice(1)} failed`
}

function firstLine(message: string): string {
  return (message.split('\n')[0] ?? '').replace(/\.$/, '').slice(0, 300)
}
