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
import { verifyStructure } from '../format/verify-structure.ts'
import type { PlannedLog, RestorePlan } from '../inventory/restore-plan.ts'
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
    this.#options.onRead?.(last.bytes)
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
    files: readonly PlannedLog[],
  ): AsyncGenerator<readonly Entry[]> {
    let { revision, digest } = after
    let at = 0
    for await (const page of this.#read(files, (file) => this.#log(file))) {
      const { name, through } = files[at] as PlannedLog
      at += 1
      const fresh = entriesBetween(page, revision, through)
      const [first] = fresh
      if (first === undefined) continue
      requireNext(name, { revision, digest }, first)
      ;({ revision, digest } = fresh.at(-1) as Entry)
      yield fresh
    }
  }

  /** The entries of a plan after its base, up to its target. @throws like `entries` */
  async *entriesTo({
    base,
    logs,
    target,
  }: Pick<RestorePlan, 'base' | 'logs' | 'target'>): AsyncGenerator<readonly Entry[]> {
    for await (const entries of this.entries(base, logs)) {
      const beyond = entries.findIndex((entry) => entry.revision > target.revision)
      if (beyond !== 0) yield beyond === -1 ? entries : entries.slice(0, beyond)
      if (beyond !== -1) return
    }
  }

  /** The tokens in a file. @throws COORD_ARCHIVE_DAMAGED, COORD_ARCHIVE_NO_IDENTITY */
  async tokens(file: ArchivedFile): Promise<AccessPage> {
    const page = await readAccess(await this.#content(file), this.#options.identities)
    this.#options.onRead?.(file.bytes)
    return page
  }

  /**
   * Checks what can be checked of an encrypted file without an identity.
   *
   * @throws COORD_ARCHIVE_DAMAGED
   */
  async checkStructure(file: ArchivedFile): Promise<void> {
    verifyStructure(await this.#content(file))
    this.#options.onRead?.(file.bytes)
  }

  /** A file counts as read when the caller is done with it: others are read ahead. */
  async *#read<T>(
    files: readonly ArchivedFile[],
    read: (file: ArchivedFile) => Promise<T>,
  ): AsyncGenerator<T> {
    let at = 0
    for await (const value of readAhead(files, { read, bytesOf: ({ bytes }) => bytes })) {
      try {
        yield value
      } finally {
        this.#options.onRead?.((files[at] as ArchivedFile).bytes)
        at += 1
      }
    }
  }

  async #log(file: ArchivedFile): Promise<LogPage> {
    return readLog(await this.#content(file), this.#options.identities)
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

  /** All entries of one file. @throws COORD_ARCHIVE_DAMAGED, COORD_ARCHIVE_NO_IDENTITY */
  async log(file: ArchivedFile): Promise<LogPage> {
    const page = await this.#log(file)
    this.#options.onRead?.(file.bytes)
    return page
  }

  async #content({ name }: ArchivedFile): Promise<{ name: string; content: Uint8Array }> {
    const { destination, patience } = this.#options
    return { name, content: await withPatience(patience, () => destination.read(name, patience.signal)) }
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

/** The entries after one revision, up to another one. */
function entriesBetween(
  { entries }: LogPage,
  after: Revision,
  through: Revision = Number.POSITIVE_INFINITY,
): readonly Entry[] {
  const [first, last] = [entries[0], entries.at(-1)]
  if (first === undefined || last === undefined) return []
  if (first.revision > after && last.revision <= through) return entries
  return entries.filter(({ revision }) => revision > after && revision <= through)
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
