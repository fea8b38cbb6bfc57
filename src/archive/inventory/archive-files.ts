import { CoordinatorError } from '../../errors.ts'
import type { Entry } from '../../records/record.ts'
import type { ArchivedFile, Destination } from '../destination/destination.ts'
import type { ArchivedLineage, BasePoint, LogPage } from '../format/archive-format.ts'
import { damaged } from '../format/damaged.ts'
import { parseFileName } from '../format/file-name.ts'
import { readHeader } from '../format/header.ts'
import { openFile } from '../format/pack-file.ts'
import { readBaseHeader } from '../format/read-base.ts'
import { type LogHeader, readLog, readLogHeader } from '../format/read-log.ts'

export interface ArchiveFilesOptions {
  /** age identities that open encrypted files. @default none */
  readonly identities?: readonly string[]
  readonly signal?: AbortSignal
}

/** Reads files of an archive, and keeps what their first lines say. */
export class ArchiveFiles {
  readonly #destination: Destination
  readonly #options: ArchiveFilesOptions
  readonly #lineages = new Map<string, ArchivedLineage>()
  readonly #bases = new Map<string, BasePoint>()
  readonly #logs = new Map<string, LogHeader>()
  readonly #faults = new Map<string, CoordinatorError>()

  constructor(destination: Destination, options: ArchiveFilesOptions = {}) {
    this.#destination = destination
    this.#options = options
  }

  /** The files that could not be used, by name. */
  get faults(): ReadonlyMap<string, CoordinatorError> {
    return this.#faults
  }

  /** @returns `undefined` if the file is damaged, or no identity opens it: see `faults` */
  async lineageOf(file: ArchivedFile): Promise<ArchivedLineage | undefined> {
    return this.#once(this.#lineages, file, async (content) => {
      const name = parseFileName(file.name)
      if (name === undefined) throw damaged(file.name, 'It does not have the name of a file of an archive.')
      return readHeader((await openFile(name.kind, content, this.#options.identities)).text, name)
    })
  }

  /** @returns `undefined` if the file is damaged, or no identity opens it: see `faults` */
  baseHeader(file: ArchivedFile): Promise<BasePoint | undefined> {
    return this.#once(this.#bases, file, async (content) =>
      readBaseHeader(await openFile('base', content, this.#options.identities)),
    )
  }

  /** @returns `undefined` if the file is damaged, or no identity opens it: see `faults` */
  logHeader(file: ArchivedFile): Promise<LogHeader | undefined> {
    return this.#once(this.#logs, file, async (content) =>
      readLogHeader(await openFile('log', content, this.#options.identities)),
    )
  }

  /** The entries of a log. They are not kept. @returns `undefined` if the file is damaged, or no identity opens it: see `faults` */
  async entries(file: ArchivedFile): Promise<readonly Entry[] | undefined> {
    const page = await this.#once(new Map<string, LogPage>(), file, (content) =>
      readLog(content, this.#options.identities),
    )
    return page?.entries
  }

  /** @throws what a file said when it was read, if it could not be used */
  require<T>(found: T | undefined, file: ArchivedFile): T {
    if (found !== undefined) return found
    throw this.#faults.get(file.name) ?? damaged(file.name, 'It could not be read.')
  }

  async #once<T>(
    known: Map<string, T>,
    { name }: ArchivedFile,
    read: (file: { readonly name: string; readonly content: Uint8Array }) => Promise<T>,
  ): Promise<T | undefined> {
    const before = known.get(name)
    if (before !== undefined) return before
    try {
      const found = await read({ name, content: await this.#destination.read(name, this.#options.signal) })
      known.set(name, found)
      return found
    } catch (error) {
      if (!isFaultOfFile(error)) throw error
      this.#faults.set(name, error)
      return undefined
    }
  }
}

/** Whether the file is at fault, and not the way to it. */
function isFaultOfFile(error: unknown): error is CoordinatorError {
  const { code } = error instanceof CoordinatorError ? error : {}
  return code === 'COORD_ARCHIVE_DAMAGED' || code === 'COORD_ARCHIVE_NO_IDENTITY'
}
