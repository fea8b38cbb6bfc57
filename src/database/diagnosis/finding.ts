/**
 * - `ok`: as it should be.
 * - `warning`: it works, and somebody should look at it.
 * - `problem`: the coordinator cannot work with it, or not as promised.
 */
export type FindingState = 'ok' | 'warning' | 'problem'

/** One thing that was looked at. */
export interface Finding {
  /** What was looked at, such as `clock`. */
  readonly check: string
  readonly state: FindingState
  /** What was seen, in one sentence. Never a secret. */
  readonly found: string
  /** The one step that mends it; absent where all is well. */
  readonly repair?: string
}

export function ok(check: string, found: string): Finding {
  return { check, state: 'ok', found }
}

/** A finding that wants something done. */
export function flaw(
  check: string,
  state: Exclude<FindingState, 'ok'>,
  { found, repair }: { readonly found: string; readonly repair: string },
): Finding {
  return { check, state, found, repair }
}
