import { CoordinatorError, type ErrorCode, type ErrorOptions } from '../errors.ts'

/** A `CoordinatorError` in a form that can be sent between threads and processes. */
export interface PackedError {
  readonly code: ErrorCode
  readonly options: ErrorOptions
}

export function packError({ code, options }: CoordinatorError): PackedError {
  // Only the parts of the cause that every error has are sent.
  const { cause, ...others } = options
  return { code, options: cause instanceof Error ? { ...others, cause: new Error(cause.message) } : others }
}

export function unpackError({ code, options }: PackedError): CoordinatorError {
  return new CoordinatorError(code, options)
}
