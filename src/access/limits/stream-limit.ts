import { CoordinatorError } from '../../errors.ts'

export interface StreamLimitOptions {
  /** LIMIT_STREAMS */
  readonly max: number
  /** Called when a stream is refused. */
  readonly onRefused?: () => void
}

/** A client that lost its connection opens its stream again at once, and the old one may still be counted for a moment. */
const retryAfterSeconds = 1

/** Limits how many streams and waiting requests one principal has open at the same time. */
export class StreamLimit {
  readonly #max: number
  readonly #onRefused: () => void
  /** Only shares with open streams are in it, so that the number of connections limits its size. */
  readonly #open = new Map<string, number>()

  constructor({ max, onRefused = () => undefined }: StreamLimitOptions) {
    this.#max = max
    this.#onRefused = onRefused
  }

  /**
   * Counts one more stream.
   *
   * @param share whose limit it is
   * @returns ends the count; may be called again
   * @throws COORD_RATE_LIMITED
   */
  open(share: string): () => void {
    const open = this.#open.get(share) ?? 0
    if (open >= this.#max) {
      this.#onRefused()
      throw new CoordinatorError('COORD_RATE_LIMITED', {
        detail: `This principal or client has ${open} streams and waiting requests open, which is its limit.`,
        hint: 'Close a stream first. LIMIT_STREAMS sets how many one client may have open at the same time.',
        retryAfterSeconds,
      })
    }
    this.#open.set(share, open + 1)
    let isOpen = true
    return () => {
      if (!isOpen) return
      isOpen = false
      const left = (this.#open.get(share) ?? 1) - 1
      if (left > 0) this.#open.set(share, left)
      else this.#open.delete(share)
    }
  }
}
