import { UNCHANGED_KEPT_MAX, UNCHANGED_KEPT_MS, type UnchangedCommit } from '../unchanged-commits.ts'

interface Kept extends UnchangedCommit {
  readonly at: number
}

/** Commits with a fingerprint that changed nothing, by id, from the oldest to the newest. */
export class RecentUnchanged {
  readonly #byId = new Map<string, Kept>()

  get(commitId: string): UnchangedCommit | undefined {
    return this.#byId.get(commitId)
  }

  clear(): void {
    this.#byId.clear()
  }

  /** @param at the wall clock, epoch milliseconds */
  add(commitId: string, commit: UnchangedCommit, at: number): void {
    for (const [id, kept] of this.#byId) {
      if (kept.at >= at - UNCHANGED_KEPT_MS && this.#byId.size < UNCHANGED_KEPT_MAX) break
      this.#byId.delete(id)
    }
    this.#byId.set(commitId, { ...commit, at })
  }
}
