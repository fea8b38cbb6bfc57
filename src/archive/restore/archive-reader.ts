import { nextDigest } from '../../records/digest.ts'
import type { Entry, Position, Revision, StoredRecord } from '../../records/record.ts'
import { Pace } from '../../scheduling/pace.ts'
import type { ArchivedFile, Destination } from '../destination/destination.ts'
import { readAccess } from '../format/access-file.ts'
import type { AccessPage, BaseEnd, BasePoint, LogPage } from '../format/archive-format.ts'
import { damaged } from '../format/damaged.ts'
import { readBasePart } from '../format/read-base.ts'
import { readLog } from '../format/read-log.ts'
import { StateDigest } from '../format/state-digest.ts'
import type { RestorePlan } from './plan.ts'
import { readAhead } from './read-ahead.ts'
import { type Patience, withPatience } from './with-patience.ts'

export interface ArchiveReaderOptions {
  readonly destination: Destination
  /** age identities that open the files. @default none */
  readonly identities?: readonly string[]
  readonly patience: Patience
  /** Called with the size of each file that was read, in bytes. @default nothing */
  readonly onRead?: (bytes: number) => void
}

/** What one file of a base holds. */
export interface BasePart {
  readonly point: BasePoint
  readonly records: readonly StoredRecord[]
  /** Only in the last part. */
  readonly end: BaseEnd | undefined
}

/** Reads files of an archive in their order, several ahead, and checks that each continues the one before it. */
export class ArchiveReader {
  readonly #options: ArchiveReaderOptions

  constructor(options: ArchiveReaderOptions) {
    this.#options = options
  }

  /**
   * The parts of a base. The last one comes only if all of them together have the state digest that the base recorded.
   *
   * @param parts in order
   * @throws COORD_ARCHIVE_DAMAGED, COORD_ARCHIVE_NO_IDENTITY, and what destinations throw
   */
  async *records(parts: readonly ArchivedFile[]): AsyncGenerator<BasePart> {
    const digest = new StateDigest()
    const pace = new Pace()
    let at = 0
    for await (const part of this.#read(parts, (file) => this.#basePart(file))) {
      for (const record of part.records) {
        digest.add(record)
        if (pace.due) await pace.turn()
      }
      const { name } = parts[at] as ArchivedFile
      at += 1
      if (at === parts.length) requireState(name, digest, part.end)
      yield part
    }
  }

  /** What the last part of a base says about all its records. @throws COORD_ARCHIVE_DAMAGED */
  async endOfBase(parts: readonly ArchivedFile[]): Promise<BaseEnd> {
    const last = parts.at(-1) as ArchivedFile
    const { end } = await this.#basePart(last)
    if (end === undefined) throw damaged(last.name, 'It is not the last part of its base.')
    return end
  }

  /**
   * The entries after a position, a list for each file. Entries that several files have come once.
   *
   * @param files in order of their first revisions
   * @throws COORD_ARCHIVE_DAMAGED if there is a gap, or an entry does not follow from the one before it
   */
  async *entries(
    after: Pick<Position, 'revision' | 'digest'>,
    files: readonly ArchivedFile[],
  ): AsyncGenerator<readonly Entry[]> {
    let { revision, digest } = after
    let at = 0
    for await (const page of this.#read(files, (file) => this.#log(file))) {
      const { name } = files[at] as ArchivedFile
      at += 1
      const fresh = entriesAfter(page, revision)
      const [first] = fresh
      if (first === undefined) continue
      requireNext(name, { revision, digest }, first)
      ;({ revision, digest } = fresh.at(-1) as Entry)
      yield fresh
    }
  }

  /** The entries of a plan after its base, up to its target. @throws like `entries` */
  async *entriesTo(
    { revision = Number.POSITIVE_INFINITY, at = Number.POSITIVE_INFINITY }: RestorePlan['target'],
    { base, logs }: Pick<RestorePlan, 'base' | 'logs'>,
  ): AsyncGenerator<readonly Entry[]> {
    for await (const entries of this.entries(base, logs)) {
      const beyond = entries.findIndex((entry) => entry.revision > revision || entry.at > at)
      if (beyond !== 0) yield beyond === -1 ? entries : entries.slice(0, beyond)
      if (beyond !== -1) return
    }
  }

  /** The tokens in a file. @throws COORD_ARCHIVE_DAMAGED, COORD_ARCHIVE_NO_IDENTITY */
  async tokens(file: ArchivedFile): Promise<AccessPage> {
    return readAccess(await this.#content(file), this.#options.identities)
  }

  /**
   * Checks what can be checked of an encrypted file without an identity: that it is there, and begins as age files do.
   *
   * @throws COORD_ARCHIVE_DAMAGED
   */
  async checkStructure(file: ArchivedFile): Promise<void> {
    const { content } = await this.#content(file)
    const begin = 'age-encryption.org/v1\n'
    if (Buffer.from(content.subarray(0, begin.length)).toString('latin1') !== begin)
      throw damaged(file.name, 'It does not begin as a file of age does.')
  }

  #read<T>(files: readonly ArchivedFile[], read: (file: ArchivedFile) => Promise<T>): AsyncGenerator<T> {
    return readAhead(files, { read, bytesOf: ({ bytes }) => bytes })
  }

  async #basePart(file: ArchivedFile): Promise<BasePart> {
    const records: StoredRecord[] = []
    let point: BasePoint | undefined
    let end: BaseEnd | undefined
    for await (const page of readBasePart(await this.#content(file), this.#options.identities)) {
      for (const record of page.records) records.push(record)
      ;({ point, end } = { end: undefined, ...page })
    }
    if (point === undefined) throw damaged(file.name, 'It has no page.')
    return { point, records, end }
  }

  async #log(file: ArchivedFile): Promise<LogPage> {
    return readLog(await this.#content(file), this.#options.identities)
  }

  async #content({ name, bytes }: ArchivedFile): Promise<{ name: string; content: Uint8Array }> {
    const { destination, patience, onRead } = this.#options
    const content = await withPatience(patience, () => destination.read(name, patience.signal))
    onRead?.(bytes)
    return { name, content }
  }
}

/** @throws COORD_ARCHIVE_DAMAGED */
function requireState(name: string, digest: StateDigest, end: BaseEnd | undefined): void {
  if (end === undefined) throw damaged(name, 'It is not the last part of its base.')
  const { records } = digest
  if (records !== end.records)
    throw damaged(name, `The parts of this base have ${records} records, and it recorded ${end.records}.`)
  if (digest.finish() !== end.state)
    throw damaged(name, 'The records of this base do not have the state digest that it recorded.')
}

function entriesAfter({ entries }: LogPage, revision: Revision): readonly Entry[] {
  const known = entries.findIndex((entry) => entry.revision > revision)
  if (known === 0) return entries
  return known === -1 ? [] : entries.slice(known)
}

/** @throws COORD_ARCHIVE_DAMAGED */
function requireNext(
  name: string,
  { revision, digest }: Pick<Position, 'revision' | 'digest'>,
  first: Entry,
): void {
  if (first.revision !== revision + 1)
    throw damaged(name, `It has revision ${first.revision} where ${revision + 1} should follow.`)
  if (first.digest !== nextDigest(digest, first.commitId))
    throw damaged(
      name,
      `Its revision ${first.revision} belongs to another history than revision ${revision}.`,
    )
}
