import { withPatience } from '../restore/with-patience.ts'
import type { MoveContext } from './move-context.ts'

/** Brings the tokens of the source to the target: revoked ones, too, so that they stay revoked. */
export class TokenCopier {
  readonly #context: MoveContext
  #version: string | undefined
  #count = 0

  constructor(context: MoveContext) {
    this.#context = context
  }

  /** How many tokens the source has, revoked ones included. */
  get count(): number {
    return this.#count
  }

  /**
   * @param version of the tokens of the source, if it is known. Nothing is done if they were brought at that version
   * @throws COORD_TOKEN_NAME_TAKEN if the target has a token of its own with the same name; COORD_STORE_MODE
   */
  async bring(version?: string): Promise<void> {
    if (version !== undefined && version === this.#version) return
    const { from, to, patience } = this.#context
    const state = await withPatience(patience, () => from.access.load())
    await withPatience(patience, () => to.access.seed(state))
    this.#version = state.version
    this.#count = state.tokens.length
  }
}
