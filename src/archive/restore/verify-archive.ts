import { CoordinatorError } from '../../errors.ts'
import type { Revision } from '../../records/record.ts'
import type { ArchivedFile } from '../destination/destination.ts'
import { damaged } from '../format/damaged.ts'
import { parseFileName } from '../format/file-name.ts'
import { historyLine, rangesOf } from '../inventory/history-line.ts'
import type { Inventory, LineageInventory } from '../inventory/inventory.ts'
import { ArchiveReader, type ArchiveReaderOptions } from './archive-reader.ts'

/** A file that cannot be used, and why. */
export interface BadFile {
  readonly name: string
  readonly fault: string
}

/** What is known of one history after all its files were read. */
export interface VerifiedLineage {
  readonly lineage: string
  /** What can be restored without the bad files: from the first to the last revision of each. */
  readonly revisions: readonly { readonly from: Revision; readonly to: Revision }[]
}

export interface VerifyReport {
  /** The files that belong together in complete bases, and all logs and tokens: each of them is whole, structure, bad or spoilt. */
  readonly files: number
  readonly bytes: number
  /** Files whose content was read and checked. */
  readonly whole: number
  /** Encrypted files of which only the structure was checked, because no identity was given. */
  readonly structure: number
  readonly bad: readonly BadFile[]
  /** Other files of a base of which one is bad. Nobody can use them. */
  readonly spoilt: number
  /** Files of bases that miss a part: they are being written, or an upload was interrupted. */
  readonly unfinished: readonly string[]
  /** Files that no coordinator wrote. */
  readonly strange: readonly string[]
  /** Revisions about which two files disagree. */
  readonly contradictions: readonly { readonly revision: Revision; readonly files: readonly string[] }[]
  readonly lineages: readonly VerifiedLineage[]
}

export interface VerifyOptions extends Omit<ArchiveReaderOptions, 'onRead'> {
  readonly inventory: Inventory
  /** Called after each file. @default nothing */
  readonly onFile?: (progress: { readonly files: number; readonly bytes: number }) => void
}

/**
 * Reads every file of an archive, and checks it: the sums of each file, the chain of the digests in each log, the records of each base
 * against the state digest that it recorded, and how the files continue each other. Gives others their turn.
 *
 * @throws what destinations throw. A bad file is a part of the result
 */
export async function verifyArchive(options: VerifyOptions): Promise<VerifyReport> {
  const verifying = new Verifying(options)
  const { lineages, strange } = options.inventory
  for (const lineage of lineages) await verifying.verify(lineage)
  return {
    ...verifying.result,
    strange: strange.map(({ name }) => name),
    contradictions: lineages.flatMap(({ contradictions }) =>
      contradictions.map(({ revision, files }) => ({ revision, files: files.map(({ name }) => name) })),
    ),
    lineages: await restorableOf(options.inventory, verifying.result.bad),
  }
}

class Verifying {
  readonly #options: VerifyOptions
  readonly #reader: ArchiveReader
  readonly result = {
    files: 0,
    bytes: 0,
    whole: 0,
    structure: 0,
    bad: [] as BadFile[],
    spoilt: 0,
    unfinished: [] as string[],
  }

  constructor(options: VerifyOptions) {
    const { destination, identities = [], patience, onFile } = options
    this.#options = options
    this.#reader = new ArchiveReader({
      ...{ destination, identities, patience },
      onRead: (bytes) => {
        this.result.bytes += bytes
        onFile?.(this.result)
      },
    })
  }

  async verify({ trail }: LineageInventory): Promise<void> {
    const digests = new Map<Revision, string>()
    for (const { isComplete, files, revision, digest } of trail.bases) {
      if (!isComplete) this.result.unfinished.push(...files.map(({ name }) => name))
      else if (await this.#check(files, () => this.#readBase(files))) digests.set(revision, digest)
    }
    for (const { file, first, last, digest } of trail.logs) {
      const readLog = async () => {
        const { after } = await this.#reader.log(file)
        const known = digests.get(first - 1)
        if (known !== undefined && known !== after.digest)
          throw damaged(file.name, `It does not continue what the archive has of revision ${first - 1}.`)
      }
      if (await this.#check([file], readLog)) digests.set(last, digest)
    }
    for (const { file } of trail.access) await this.#check([file], () => this.#reader.tokens(file))
  }

  async #readBase(files: readonly ArchivedFile[]): Promise<void> {
    for await (const _ of this.#reader.records(files)) this.#options.patience.signal.throwIfAborted()
  }

  /** @returns whether the content of the files was read, and is right */
  async #check(files: readonly ArchivedFile[], read: () => Promise<unknown>): Promise<boolean> {
    const isClosed = files.some(({ name }) => parseFileName(name)?.encrypted === true)
    this.result.files += files.length
    const isOpened = !isClosed || (this.#options.identities ?? []).length > 0
    try {
      if (isOpened) await read()
      else for (const file of files) await this.#reader.checkStructure(file)
    } catch (thrown) {
      if (!isFaultOfFile(thrown)) throw thrown
      const { file = files[0]?.name } = thrown.extra as { file?: string }
      this.result.bad.push({ name: file ?? '', fault: `${thrown.detail} [${thrown.code}]` })
      this.result.spoilt += files.length - 1
      return false
    }
    this.result[isOpened ? 'whole' : 'structure'] += files.length
    return isOpened
  }
}

function isFaultOfFile(thrown: unknown): thrown is CoordinatorError {
  if (!(thrown instanceof CoordinatorError)) return false
  return thrown.code === 'COORD_ARCHIVE_DAMAGED' || thrown.code === 'COORD_ARCHIVE_NO_IDENTITY'
}

/** What can be restored of each history without the bad files. */
async function restorableOf(inventory: Inventory, bad: readonly BadFile[]): Promise<VerifiedLineage[]> {
  const excluded = new Set(bad.map(({ name }) => name))
  const found: VerifiedLineage[] = []
  for (const lineage of inventory.lineages) {
    const ranges = rangesOf(await historyLine(inventory, lineage, excluded))
    found.push({
      lineage: lineage.lineage,
      revisions: ranges.map(({ from, to }) => ({ from, to })),
    })
  }
  return found
}
