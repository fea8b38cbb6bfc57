/** How long a call waits for the one before it, and for its own end. */
export interface Deadline {
  readonly timeoutMs: number
  /** The error of a call that took too long. */
  readonly tooLate: () => Error
  readonly signal: AbortSignal | undefined
}

/**
 * Lets one call run at a time. A call to a file system that hangs cannot be ended, and keeps one of the four threads that all file
 * systems, names and compression of the process share. The next call waits until it is over, and so they never take a second one.
 */
export class OneAtATime {
  #running: Promise<unknown> = Promise.resolve()

  /** @throws what the call throws; `tooLate` when its time is over, and what it does then is unknown; the reason of the signal */
  async run<T>(
    call: (isWanted: () => boolean) => Promise<T>,
    { timeoutMs, tooLate, signal }: Deadline,
  ): Promise<T> {
    signal?.throwIfAborted()
    const { promise, reject } = Promise.withResolvers<never>()
    let isWanted = true
    const leave = (reason: unknown) => {
      isWanted = false
      reject(reason)
    }
    const abort = () => leave(signal?.reason)
    const timer = setTimeout(() => leave(tooLate()), timeoutMs)
    signal?.addEventListener('abort', abort)
    const before = this.#running
    const mine = (async () => {
      await before
      return isWanted ? await call(() => isWanted) : await promise
    })()
    this.#running = mine.catch(() => undefined)
    try {
      return await Promise.race([mine, promise])
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
    }
  }
}
