import { LIMITS } from './limits.ts'

/**
 * How much is still said about what is wrong with one request, and what was probably meant. The registrations of a batch share it: a
 * thousand of them, each wrong in a hundred ways, get one word each when the rest is used up.
 */
export class Remarks {
  #problems: number = LIMITS.problems
  #warnings: number = LIMITS.warnings

  /** How many problems may be named: at least one, without which a refusal has no reason. */
  get problems(): number {
    return Math.max(1, this.#problems)
  }

  /** How many unknown fields may be named: at least one. */
  get warnings(): number {
    return Math.max(1, this.#warnings)
  }

  /** Whether it is still searched for what was meant. */
  get suggests(): boolean {
    return this.#problems > 0 && this.#warnings > 0
  }

  spend({ problems = 0, warnings = 0 }: { readonly problems?: number; readonly warnings?: number }): void {
    this.#problems -= problems
    this.#warnings -= warnings
  }
}
