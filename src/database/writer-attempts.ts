import type { CommitCall } from './store.ts'

/** How long the attempts of a writer are remembered after its last call, in milliseconds. */
const WRITER_KEPT_MS = 24 * 60 * 60 * 1_000

interface LastCall {
  readonly attempt: number
  readonly at: number
}

/**
 * The newest call of each writer, for stores whose calls end with this process. An abandoned call ends then at the latest, so this need not
 * be on disk.
 */
export class WriterAttempts {
  readonly #last = new Map<string, LastCall>()

  /**
   * Records a call. Returns `false`, and records nothing, if the newest call of the writer is not older.
   *
   * @param now the wall clock, epoch milliseconds
   */
  record({ writer, attempt }: CommitCall, now: number): boolean {
    const last = this.#last.get(writer)
    if (last === undefined) this.#forgetSilent(now)
    else if (last.attempt >= attempt) return false
    this.#last.set(writer, { attempt, at: now })
    return true
  }

  #forgetSilent(now: number): void {
    for (const [writer, { at }] of this.#last) if (at < now - WRITER_KEPT_MS) this.#last.delete(writer)
  }
}
