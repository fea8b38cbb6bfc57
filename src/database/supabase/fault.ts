import type { ErrorCode, WriteOutcome } from '../../errors.ts'

/** The meaning of an answer, or of a failure of the network. */
export interface Fault {
  readonly code: ErrorCode
  /** Completes the sentence "The Data API at HOST ...". */
  readonly text: string
  /** For writes; `not_written` if the database cannot have received the request. */
  readonly outcome: WriteOutcome
  /** @default that of the code */
  readonly hint?: string
}

export function notWritten(code: ErrorCode, text: string, hint?: string): Fault {
  return { code, text, outcome: 'not_written', ...(hint === undefined ? {} : { hint }) }
}

/** The database may have received the request. */
export function unknown(code: ErrorCode, text: string, hint?: string): Fault {
  return { ...notWritten(code, text, hint), outcome: 'unknown' }
}
