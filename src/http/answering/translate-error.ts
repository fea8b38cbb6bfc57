import { CoordinatorError, type ErrorCode, type ErrorOptions, toCoordinatorError } from '../../errors.ts'

/** Faults that the framework finds in a request before any route gets it. */
const frameworkErrors: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  FST_ERR_BAD_URL: ['COORD_URL_MALFORMED', 'The path has a malformed percent-encoding.'],
  FST_ERR_MAX_PARAM_LENGTH: ['COORD_ROUTE_NOT_FOUND', 'A part of the path is longer than any id.'],
  ECONNRESET: ['COORD_REQUEST_MALFORMED', 'The connection ended within the body.'],
}

/** Converts an error of a handler, or of the framework, to a `CoordinatorError`. Any unforeseen error is a fault of the coordinator. */
export function translateError(thrown: unknown): CoordinatorError {
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : ''
  const known = Object.hasOwn(frameworkErrors, code) ? frameworkErrors[code] : undefined
  if (known === undefined || thrown instanceof CoordinatorError) return toCoordinatorError(thrown)
  return new CoordinatorError(known[0], { detail: known[1] })
}

/** Faults that Node's parser finds in bytes that are not a valid request. */
const parserErrors: Readonly<Record<string, readonly [ErrorCode, ErrorOptions]>> = {
  HPE_HEADER_OVERFLOW: ['COORD_HEADERS_TOO_LARGE', {}],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [
    'COORD_BODY_TOO_LARGE',
    { detail: 'The extensions of a chunk are too large.' },
  ],
  ERR_HTTP_REQUEST_TIMEOUT: ['COORD_REQUEST_TIMEOUT', {}],
  HPE_INVALID_METHOD: ['COORD_REQUEST_MALFORMED', { detail: 'The method is not one that HTTP knows.' }],
  HPE_INVALID_URL: ['COORD_URL_MALFORMED', { detail: 'The path holds characters that a URL cannot have.' }],
}

/** The answer to bytes that are not a request. */
export function translateParserError({
  code = '',
}: {
  readonly code?: string | undefined
}): CoordinatorError {
  const [ours, options] = parserErrors[code] ?? (['COORD_REQUEST_MALFORMED', {}] as const)
  return new CoordinatorError(ours, options)
}
