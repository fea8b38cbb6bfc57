import { LIMITS } from './limits.ts'

/**
 * Limits how many problems and suggestions the answer to one request has. The registrations of a batch share one object: if a thousand of
 * them have a hundred problems each, the last ones get only one problem each.
 */
export class Remarks {
  #problems: number = LIMITS.problems
  #warnings: number = LIMITS.warnings

  /** How many problems the answer may still name. It is at least one, because a refusal needs a reason. */
  get problems(): number {
    return Math.max(1, this.#problems)
  }

  /** How many unknown fields the answer may still name; at least one. */
  get warnings(): number {
    return Math.max(1, this.#warnings)
  }

  /** Whether to look for suggestions. */
  get suggests(): boolean {
    return this.#problems > 0 && this.#warnings > 0
  }

  spend({ problems = 0, warnings = 0 }: { readonly problems?: number; readonly warnings?: number }): void {
    this.#problems -= problems
    this.#warnings -= warnings
  }
}
