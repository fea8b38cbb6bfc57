/**
 * - `ok`: as it should be.
 * - `warning`: it works, but somebody should look at it.
 * - `problem`: the coordinator cannot work, or cannot do everything that its documents promise.
 */
export type FindingState = 'ok' | 'warning' | 'problem'

/** The result of one check. */
export interface Finding {
  /** The name of the check, such as `clock`. */
  readonly check: string
  readonly state: FindingState
  /** The result, in one sentence. Never a secret. */
  readonly found: string
  /** The one step that repairs it; absent if all is well. */
  readonly repair?: string
}

export function ok(check: string, found: string): Finding {
  return { check, state: 'ok', found }
}

/** A finding that somebody should act on. */
export function flaw(
  check: string,
  state: Exclude<FindingState, 'ok'>,
  { found, repair }: { readonly found: string; readonly repair: string },
): Finding {
  return { check, state, found, repair }
}

/** For a command that needs a SQLite file which is in use. The hint of the table of errors is for a second coordinator. */
export const repairOfUsedFile = 'A coordinator uses this file. Stop it, then run the command again.'
