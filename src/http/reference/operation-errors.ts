import { ERRORS, type ErrorCode } from '../../errors.ts'
import type { Operation } from '../reading/operation.ts'
import type { DocumentedRoute } from './documented-route.ts'

/** The server answers these before it looks for a route, so every operation has them. */
const generalErrors: readonly ErrorCode[] = [
  'COORD_HOST_NOT_ALLOWED',
  'COORD_ORIGIN_NOT_ALLOWED',
  'COORD_PROXY_NEEDS_AUTH',
  'COORD_CONNECTIONS_FULL',
]
const bodyErrors: readonly ErrorCode[] = [
  'COORD_BODY_NOT_JSON',
  'COORD_BODY_MEDIA_TYPE',
  'COORD_BODY_TOO_LARGE',
  'COORD_BODY_TOO_DEEP',
  'COORD_BODY_WRONG_TYPE',
  'COORD_FIELD_MISSING',
  'COORD_FIELD_INVALID',
  'COORD_FIELD_TOO_LARGE',
  'COORD_TEXT_NUL',
  'COORD_TEXT_SURROGATE',
  'COORD_NUMBER_TOO_LARGE',
  'COORD_KEY_FORBIDDEN',
  'COORD_REQUEST_TIMEOUT',
  'COORD_RECEIVE_FULL',
]
const writeErrors: readonly ErrorCode[] = [
  'COORD_HEADER_INVALID',
  'COORD_STORE_UNAVAILABLE',
  'COORD_STORE_TIMEOUT',
  'COORD_STORE_FROZEN',
  'COORD_RATE_LIMITED',
  'COORD_COMMIT_QUEUE_FULL',
  'COORD_MEMORY_FULL',
  'COORD_SHUTTING_DOWN',
]
const conditionalErrors: readonly ErrorCode[] = [
  'COORD_PRECONDITION_FAILED',
  'COORD_IDEMPOTENCY_REUSED',
  'COORD_COMMIT_CONTENDED',
]
/** Errors of reads whose answers have an ETag. */
const taggedErrors: readonly ErrorCode[] = ['COORD_PRECONDITION_FAILED', 'COORD_HEADER_INVALID']
const stateErrors: readonly ErrorCode[] = ['COORD_NOT_LOADED', 'COORD_LINEAGE_CHANGED']
/** Errors about the credential of the caller. */
function accessErrors({ scope }: Operation): readonly ErrorCode[] {
  if (scope === 'public') return []
  const ofCredential = [
    'COORD_AUTH_REQUIRED',
    'COORD_CREDENTIAL_INVALID',
    'COORD_CREDENTIAL_EXPIRED',
    'COORD_CREDENTIAL_REVOKED',
    'COORD_RATE_LIMITED',
    'COORD_AUTH_UNAVAILABLE',
  ] as const
  return scope === 'caller' ? ofCredential : [...ofCredential, 'COORD_SCOPE_MISSING']
}

/** Parameters of operations that read the past: of all of it, or of the history of one record. */
const pastParameters = ['asOf', 'before', 'after', 'from']
const momentParameters = ['asOf', 'after', 'from']

/** Every code that an operation may answer with, by status, in ascending order. */
export function errorsByStatus({ operation }: DocumentedRoute): ReadonlyMap<number, readonly ErrorCode[]> {
  const { body, query, writes, writesTokens, conditional, state, answers, errors = [] } = operation
  const parameters = Object.keys(query?.shape ?? {})
  const codes = new Set<ErrorCode>([
    ...generalErrors,
    ...errors,
    ...(body === undefined ? [] : bodyErrors),
    ...(query === undefined ? [] : (['COORD_QUERY_INVALID'] as const)),
    ...accessErrors(operation),
    ...(writes === true || writesTokens === true ? writeErrors : []),
    ...(conditional === true ? conditionalErrors : []),
    ...(answers[304] === undefined ? [] : taggedErrors),
    ...(state === true ? stateErrors : []),
    ...(state === true && writes !== true ? (['COORD_ANSWERS_WAITING'] as const) : []),
    ...(state === true && (writes !== true || parameters.includes('dryRun'))
      ? (['COORD_QUESTION_TOO_LARGE'] as const)
      : []),
    ...(parameters.some((name) => pastParameters.includes(name)) ? (['COORD_PAST_BUSY'] as const) : []),
    ...(parameters.some((name) => momentParameters.includes(name))
      ? (['COORD_REVISION_COMPACTED', 'COORD_REVISION_FUTURE'] as const)
      : []),
    ...(parameters.includes('minRevision') ? (['COORD_REVISION_WAIT_TIMEOUT'] as const) : []),
    ...(parameters.includes('consistency') ? (['COORD_STORE_UNAVAILABLE'] as const) : []),
  ])
  const byStatus = new Map<number, ErrorCode[]>()
  for (const code of codes)
    byStatus.set(ERRORS[code].status, [...(byStatus.get(ERRORS[code].status) ?? []), code])
  return new Map([...byStatus].sort(([left], [right]) => left - right))
}
