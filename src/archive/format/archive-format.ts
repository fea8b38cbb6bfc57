import type { Entry, Position, Revision, StoredRecord } from '../../records/record.ts'

/** The number of the format of archive files. A program reads its own and every lower one. */
export const FORMAT_NUMBER = 1

/** The most bytes of a file of an archive. */
export const FILE_BYTES_MAX: number = 16 * 1_048_576

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
}

/** The entries of one log file. */
export interface LogPage extends ArchivedLineage {
  /** The position before the first entry. */
  readonly after: Position
  readonly entries: readonly Entry[]
}

/** A file to be written. */
export interface NewFile {
  readonly name: string
  readonly content: Uint8Array
}
