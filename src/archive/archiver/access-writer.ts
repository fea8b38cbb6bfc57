import type { AccessStore } from '../../database/store.ts'
import type { Destination } from '../destination/destination.ts'
import { accessDigest, writeAccess } from '../format/access-file.ts'
import type { ArchivedLineage, NewFile } from '../format/archive-format.ts'
import { parseFileName } from '../format/file-name.ts'

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
    const { access, destination, recipients, clock, write } = this.#parts
    const state = await access.load()
    let [newestAt, newestDigest] = [0, '']
    for await (const { name } of destination.list(`${this.#history.lineage}/access/`, signal)) {
      const file = parseFileName(name)
      if (file?.kind !== 'access' || file.at < newestAt) continue
      newestAt = file.at
      newestDigest = file.digest
    }
    // The newest name counts. A clock that went back, or the slow clock of another machine, must not make the newest tokens look old.
    const at = Math.max(clock(), newestAt + 1)
    if (newestDigest !== accessDigest(state))
      await write(await writeAccess(state, this.#history, { at, recipients }))
    this.#archived = state.version
  }
}
