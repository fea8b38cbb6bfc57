import type { StoreMode } from '../../database/store.ts'
import type { StatusBoard } from '../state/status.ts'
import type { LiveObservers } from './live-observer.ts'

/** What every head, and every reply to a question for changes, says besides entries. */
export interface HeadNews {
  readonly accessVersion: string
  readonly mode: StoreMode
}

/** Notices in the replies of the store that the tokens or the mode have changed, even if there are no entries. */
export class HeadWatch {
  readonly #observers: LiveObservers
  readonly #board: StatusBoard
  #told: string | undefined

  constructor(observers: LiveObservers, board: StatusBoard) {
    this.#observers = observers
    this.#board = board
  }

  /** @param news of a reply of the store */
  seen({ accessVersion, mode }: HeadNews): void {
    const opened = mode === 'open' && this.#board.mode !== 'open'
    this.#board.sawMode(mode)
    if (accessVersion === this.#told && !opened) return
    this.#told = accessVersion
    // A store that opens is told of again: what it refused until now can be recorded.
    this.#observers.tell('access', accessVersion)
  }
}
