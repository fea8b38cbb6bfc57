/** Whether an error only says that nobody wants the result any more. */
export function isAbortOf(signal: AbortSignal, error: unknown): boolean {
  return signal.aborted && error === signal.reason
}
