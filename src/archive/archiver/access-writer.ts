import type { AccessStore } from '../../database/store.ts'
import type { Destination } from '../destination/destination.ts'
import { accessDigest, writeAccess } from '../format/access-file.ts'
import type { ArchivedLineage, NewFile } from '../format/archive-format.ts'
import { type AccessFileName, parseFileName } from '../format/file-name.ts'

export interface AccessWriterParts {
  readonly access: Pick<AccessStore, 'load'>
  readonly destination: Destination
  readonly recipients: readonly string[]
  /** Epoch milliseconds. */
  readonly clock: () => number
  readonly write: (file: NewFile) => Promise<void>
}

/** Archives the newest tokens of one lineage, so that a restore never brings revoked ones back. */
export class AccessWriter {
  readonly #parts: AccessWriterParts
  readonly #history: ArchivedLineage
  #archived: string | undefined
  /** The newest time of a file with tokens of the ancestors. */
  #ancestorsAt: number | undefined

  constructor(parts: AccessWriterParts, history: ArchivedLineage) {
    this.#parts = parts
    this.#history = history
  }

  /** Looks at the archive again at the next copy. */
  look(): void {
    this.#archived = undefined
  }

  /**
   * Archives the tokens, if they are not those of the newest file.
   *
   * @param version the version in the newest reply of the store
   * @throws what the store and the destination throw
   */
  async copy(version: string, signal: AbortSignal): Promise<void> {
    if (version === this.#archived) return
    const { access, recipients, clock, write } = this.#parts
    const newest = await this.#newest(this.#history.lineage, signal)
    this.#ancestorsAt ??= await this.#newestOfAncestors(signal)
    // The newest name counts. A clock that went back, or the slow clock of another machine, must not make the newest tokens look old. The
    // time is taken before the tokens are read: if this process is stopped in between, what another one writes meanwhile is newer.
    const at = Math.max(clock(), newest.at + 1, this.#ancestorsAt + 1)
    const state = await access.load()
    if (newest.digest !== accessDigest(state))
      await write(await writeAccess(state, this.#history, { at, recipients }))
    this.#archived = state.version
  }
  async #newestOfAncestors(signal: AbortSignal): Promise<number> {
    let newestAt = 0
    for (const ancestor of this.#history.ancestors)
      newestAt = Math.max(newestAt, (await this.#newest(ancestor, signal)).at)
    return newestAt
  }

  async #newest(lineage: string, signal: AbortSignal): Promise<Pick<AccessFileName, 'at' | 'digest'>> {
    let newest = { at: 0, digest: '' }
    for await (const { name } of this.#parts.destination.list(`${lineage}/access/`, signal)) {
      const file = parseFileName(name)
      if (file?.kind === 'access' && file.at >= newest.at) newest = { at: file.at, digest: file.digest }
    }
    return newest
  }
}
