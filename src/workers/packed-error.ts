import { CoordinatorError, type ErrorCode, type ErrorOptions } from '../errors.ts'

/** A `CoordinatorError` in a form that can be sent between threads and processes. */
export interface PackedError {
  readonly code: ErrorCode
  readonly options: ErrorOptions
}

export function packError({ code, options }: CoordinatorError): PackedError {
  // Of the cause only what every error has survives the way.
  const { cause, ...others } = options
  return { code, options: cause instanceof Error ? { ...others, cause: new Error(cause.message) } : others }
}

export function unpackError({ code, options }: PackedError): CoordinatorError {
  return new CoordinatorError(code, options)
}
