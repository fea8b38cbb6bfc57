import { CoordinatorError, type ErrorCode, type ErrorOptions } from '../errors.ts'

/** A `CoordinatorError` in a form that can be sent between threads and processes. */
export interface PackedError {
  readonly code: ErrorCode
  readonly options: ErrorOptions
}

export function packError(error: CoordinatorError): PackedError {
  const { code, detail, hint, errors, outcome, retryAfterSeconds, sourceCode, extra, cause } = error
  return {
    code,
    options: {
      detail,
      hint,
      errors,
      extra,
      ...(outcome === undefined ? {} : { outcome }),
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
      ...(sourceCode === undefined ? {} : { sourceCode }),
      // Only what every error has survives the way.
      ...(cause instanceof Error ? { cause: new Error(cause.message) } : {}),
    },
  }
}

export function unpackError({ code, options }: PackedError): CoordinatorError {
  return new CoordinatorError(code, options)
}
