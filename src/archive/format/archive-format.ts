import type { AccessState } from '../../database/store.ts'
import type { Entry, Position, Revision, StoredRecord } from '../../records/record.ts'

/** The number of the format of archive files. A program reads its own and every lower one. */
export const FORMAT_NUMBER = 1

/** The number of the shapes of records, entries and tokens in the files. */
export const SCHEMA_NUMBER = 1

/** The most bytes of a file of an archive. */
export const FILE_BYTES_MAX: number = 16 * 1_048_576
/** How many bytes of text a writer puts into one file, before compression. */
export const TEXT_BYTES_TARGET: number = 15 * 1_048_576
/** The most bytes of text that a reader unpacks from one file. More is an attack, or damage. */
export const TEXT_BYTES_MAX: number = 128 * 1_048_576

/** A history, and what it descends from. */
export interface ArchivedLineage {
  readonly lineage: string
  /** The oldest first: see `Head`. */
  readonly ancestors: readonly string[]
}

/** What the files of one base hold: every record at one revision. */
export interface BasePoint extends ArchivedLineage {
  readonly revision: Revision
  /** The digest of the position. */
  readonly digest: string
  /** Time of the entry of that revision. Epoch milliseconds. */
  readonly at: number
}

/** Part of a base, in order of kind and id by code points. */
export interface BasePage {
  readonly point: BasePoint
  readonly records: readonly StoredRecord[]
  /** Only with the last page of the last part. */
  readonly end?: BaseEnd
}

/** What the last line of a base says about all its parts. */
export interface BaseEnd {
  readonly records: number
  /** The state digest: see `StateDigest`. */
  readonly state: string
}

/** The entries of one log file. */
export interface LogPage extends ArchivedLineage {
  /** The position before the first entry. */
  readonly after: Position
  readonly entries: readonly Entry[]
}

/** The tokens of a history. */
export interface AccessPage extends ArchivedLineage {
  /** When the file was written, by the clock of the writer. Epoch milliseconds. */
  readonly at: number
  readonly state: Omit<AccessState, 'version'>
}

/** A file to be written. */
export interface NewFile {
  /** The path below the prefix of the archive. */
  readonly name: string
  /** At most `FILE_BYTES_MAX`. */
  readonly content: Uint8Array
}

/** A file that was read. */
export type ReadFile = NewFile

export interface EncryptOptions {
  /** The age recipients that can read the file. @default the file is not encrypted */
  readonly recipients?: readonly string[]
}
