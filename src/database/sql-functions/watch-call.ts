export interface CallWatch {
  /** How long the call may be silent before it is checked, in milliseconds. */
  readonly afterMs: number
  /** Whether the database does not work on the call; `undefined` where that cannot be told. Never throws. */
  readonly isLost: () => Promise<boolean | undefined>
  /** Ends the call. */
  readonly giveUp: () => void
}

/** The pause between the two looks that must find a call lost, in milliseconds. */
const SECOND_LOOK_MS = 200

/**
 * Watches a call that has just been sent, and gives it up where the database turns out not to work on it. After a connection broke
 * without a word, the request or its answer is lost, and every write would wait for the deadline. The call counts as lost only when
 * two looks in a row find it so: between two commits the database is idle for a moment, too. To give up wrongly does no harm: the
 * same commits go again with the same ids.
 *
 * @returns what to call when the call has ended
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
