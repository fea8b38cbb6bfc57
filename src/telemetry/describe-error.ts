import { CoordinatorError } from '../errors.ts'

/** An error as the log shows it. */
export interface ErrorDescription {
  readonly type: string
  readonly message: string
  readonly code?: string
  readonly hint?: string
  readonly sourceCode?: string
  readonly outcome?: string
  readonly stack?: string
  readonly cause?: ErrorDescription
}

const maxDepth = 5

/**
 * Picks the known parts of an error. Drivers and `new URL` add members with secrets to their errors, such as the whole connection
 * URL or the parameters of a statement. None of those reaches the log.
 */
export function describeError(thrown: unknown, depth = 0): ErrorDescription {
  if (!(thrown instanceof Error))
    return { type: kindOf(thrown), message: 'something that is no error was thrown' }
  const code = 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : undefined
  const ours = thrown instanceof CoordinatorError ? thrown : undefined
  return {
    type: thrown.name,
    message: thrown.message,
    ...(code === undefined ? {} : { code }),
    ...(ours === undefined ? {} : { hint: ours.hint }),
    ...(ours?.sourceCode === undefined ? {} : { sourceCode: ours.sourceCode }),
    ...(ours?.outcome === undefined ? {} : { outcome: ours.outcome }),
    ...(thrown.stack === undefined ? {} : { stack: thrown.stack }),
    ...(thrown.cause === undefined || depth === maxDepth
      ? {}
      : { cause: describeError(thrown.cause, depth + 1) }),
  }
}

/** What kind of value it is, such as `undefined` or `Event`. The value itself may be a secret. */
export function kindOf(thrown: unknown): string {
  // `[object Event]`
  return thrown instanceof Object ? Object.prototype.toString.call(thrown).slice(8, -1) : typeof thrown
}
