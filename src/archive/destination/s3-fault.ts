import { CoordinatorError, type ErrorCode, type ErrorOptions } from '../../errors.ts'
import { isCertificateCode } from '../../text/certificate-codes.ts'
import { parseXml, textOf } from './xml.ts'

/** What an answer that is no success says. */
export interface S3Answer {
  readonly status: number
  /** The header `x-amz-bucket-region`. */
  readonly region: string | undefined
  /** The header `retry-after`. */
  readonly retryAfter: string | undefined
  readonly body: string
}

interface Fault {
  readonly code: ErrorCode
  readonly text: string
  readonly hint?: string
}

const full: Fault = { code: 'COORD_ARCHIVE_FULL', text: 'has no more room' }
const keysHint =
  'Check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and that AWS_ENDPOINT_URL_S3 is the server that gave them out.'

/** By the code of S3: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
const byCode: Readonly<Record<string, Fault>> = {
  InvalidAccessKeyId: { code: 'COORD_ARCHIVE_REFUSED', text: 'does not know the access key', hint: keysHint },
  SignatureDoesNotMatch: {
    code: 'COORD_ARCHIVE_REFUSED',
    text: 'found the secret key wrong',
    hint: keysHint,
  },
  AccessDenied: {
    code: 'COORD_ARCHIVE_REFUSED',
    text: 'does not allow this',
    hint: 'Allow the key s3:ListBucket, s3:GetObject, s3:PutObject and s3:DeleteObject for the bucket and prefix in BACKUP_URL.',
  },
  ExpiredToken: {
    code: 'COORD_ARCHIVE_REFUSED',
    text: 'says that the temporary credentials are over',
    hint: 'Give new values for AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or a key that does not expire.',
  },
  RequestTimeTooSkewed: {
    code: 'COORD_ARCHIVE_REFUSED',
    text: 'has another time than this machine',
    hint: 'Correct the clock of this machine: `timedatectl` shows whether it is synchronized.',
  },
  NoSuchBucket: {
    code: 'COORD_ARCHIVE_REFUSED',
    text: 'has no such bucket',
    hint: 'Create the bucket, or correct its name in BACKUP_URL. The coordinator creates no buckets.',
  },
  EntityTooLarge: {
    code: 'COORD_ARCHIVE_REFUSED',
    text: 'does not take a file of this size',
    hint: 'Raise the limit for the size of files of the bucket to at least 16 MiB.',
  },
  QuotaExceeded: full,
  InsufficientStorage: full,
  XMinioStorageFull: full,
  XMinioAdminBucketQuotaExceeded: full,
  // The server lost a part of what was sent, or waited for it in vain.
  RequestTimeout: { code: 'COORD_ARCHIVE_UNREACHABLE', text: 'waited for the rest of the request' },
  BadDigest: { code: 'COORD_ARCHIVE_UNREACHABLE', text: 'received something else than was sent' },
  XAmzContentSHA256Mismatch: {
    code: 'COORD_ARCHIVE_UNREACHABLE',
    text: 'received something else than was sent',
  },
  IncompleteBody: { code: 'COORD_ARCHIVE_UNREACHABLE', text: 'received only a part of what was sent' },
}

/** Codes of a request that went to another region than that of the bucket. */
const regionCodes = new Set([
  'PermanentRedirect',
  'AuthorizationHeaderMalformed',
  'IllegalLocationConstraintException',
])

/** Translates an answer, by its code and status. Its message stays out of the text: some servers repeat the access key in it. */
export function answerFault(answer: S3Answer, shownUrl: string): CoordinatorError {
  const code = codeIn(answer.body)
  const fault = faultOf(code, answer)
  const seconds = Number(answer.retryAfter)
  const options: ErrorOptions = {
    detail: `${shownUrl}: the server ${fault.text} (HTTP ${answer.status}${code === '' ? '' : `, ${code}`}).`,
    ...(fault.hint === undefined ? {} : { hint: fault.hint }),
    sourceCode: code === '' ? String(answer.status) : code,
    ...(Number.isInteger(seconds) && seconds > 0 ? { retryAfterSeconds: Math.min(seconds, 3_600) } : {}),
  }
  return new CoordinatorError(fault.code, options)
}

function faultOf(code: string, { status, region }: S3Answer): Fault {
  if ((status >= 300 && status < 400) || regionCodes.has(code)) return wrongRegion(region)
  const known = byCode[code]
  if (known !== undefined) return known
  if (status === 507) return full
  if (status === 413) return byCode['EntityTooLarge'] as Fault
  if (status === 429 || status >= 500)
    return { code: 'COORD_ARCHIVE_UNREACHABLE', text: 'is too busy, or failed' }
  return { code: 'COORD_ARCHIVE_REFUSED', text: 'refused the request' }
}

function wrongRegion(region: string | undefined): Fault {
  const known = region !== undefined && /^[a-z0-9-]{1,64}$/.test(region) ? region : undefined
  return {
    code: 'COORD_ARCHIVE_REFUSED',
    text: known === undefined ? 'is not the one of this bucket' : `has the bucket in the region ${known}`,
    hint:
      known === undefined
        ? 'Set AWS_REGION to the region of the bucket, and AWS_ENDPOINT_URL_S3 to its server.'
        : `Set AWS_REGION=${known}.`,
  }
}

function codeIn(body: string): string {
  const code = textOf(parseXml(body), 'Code') ?? ''
  return /^[A-Za-z0-9.]{1,64}$/.test(code) ? code : ''
}

/** Translates an error of the network or of the HTTP client. It does not become the cause: it may hold headers. */
export function networkFault(thrown: unknown, shownUrl: string): CoordinatorError {
  if (thrown instanceof CoordinatorError) return thrown
  const code = codeOf(thrown)
  return new CoordinatorError('COORD_ARCHIVE_UNREACHABLE', {
    detail: `${shownUrl}: the connection failed${code === '' ? '' : ` (${code})`}.`,
    ...(isCertificateCode(code)
      ? {
          hint: 'Where an authority of your own signs the certificate of the server, name it in NODE_EXTRA_CA_CERTS.',
        }
      : {}),
    ...(code === '' ? {} : { sourceCode: code }),
  })
}

export function s3TooLate(shownUrl: string, timeoutMs: number): CoordinatorError {
  return new CoordinatorError('COORD_ARCHIVE_UNREACHABLE', {
    detail: `${shownUrl}: the server did not finish its answer within ${timeoutMs} ms.`,
  })
}

/** An answer of another kind than S3 gives: that of a proxy, or of a page for people. */
export function strangeAnswer(shownUrl: string, what: string): CoordinatorError {
  return new CoordinatorError('COORD_ARCHIVE_UNREACHABLE', {
    detail: `${shownUrl}: the answer ${what}.`,
    hint: 'Check that AWS_ENDPOINT_URL_S3 is the S3 interface of the server, and not its web page, and that no proxy answers instead.',
  })
}

function codeOf(thrown: unknown, depth = 0): string {
  if (typeof thrown !== 'object' || thrown === null || depth > 5) return ''
  const { cause, code, errors } = thrown as { cause?: unknown; code?: unknown; errors?: unknown }
  const inner = codeOf(cause, depth + 1) || (Array.isArray(errors) ? codeOf(errors[0], depth + 1) : '')
  return inner !== '' ? inner : typeof code === 'string' ? code : ''
}
