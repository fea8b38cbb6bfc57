export interface CallWatch {
  /** How long the call may be silent before it is checked, in milliseconds. */
  readonly afterMs: number
  /** Whether the database is not working on the call; `undefined` if that is unknown. Never throws. */
  readonly isLost: () => Promise<boolean | undefined>
  /** Ends the call. */
  readonly giveUp: () => void
}

/** The pause between two checks, in milliseconds. Both must find that the call is lost. */
const SECOND_LOOK_MS = 200

/**
 * Watches a call that was just sent, and abandons it if the database turns out not to work on it. If a connection breaks silently, the
 * request or its answer is lost, and every write would wait until the deadline. The call counts as lost only after two checks in a row,
 * because the database is also idle for a moment between two commits. Abandoning a call by mistake does no harm: the same commits are sent
 * again with the same ids.
 *
 * @returns a function to call when the call has ended
 */
export function watchCall({ afterMs, isLost, giveUp }: CallWatch): () => void {
  let ended = false
  let foundLost = false
  let timer = setTimeout(look, afterMs)
  async function look(): Promise<void> {
    const lost = (await isLost()) === true
    if (ended) return
    if (lost && foundLost) return giveUp()
    foundLost = lost
    timer = setTimeout(look, lost ? SECOND_LOOK_MS : afterMs)
  }
  return () => {
    ended = true
    clearTimeout(timer)
  }
}
