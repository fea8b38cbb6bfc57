import { hash } from 'node:crypto'
import type { JsonObject } from '../../records/canonical-json.ts'
import type { Revision } from '../../records/record.ts'
import { storedObject } from '../../records/stored-json.ts'
import type { BasePoint } from '../format/archive-format.ts'
import { damaged } from '../format/damaged.ts'
import { isCount, isText, isTextList } from '../format/members.ts'

/** The number of the form of notes. */
const NOTE_NUMBER = 1

/** The tokens in a snapshot. */
export interface NotedAccess {
  /** The name of their file, below the folder of the snapshot. */
  readonly file: string
  /** When the database was asked for them last. Epoch milliseconds. */
  readonly confirmedAt: number
}

/**
 * The small file that makes a snapshot whole: it is written last, and again whenever the database has confirmed that the snapshot is still
 * what it has.
 */
export interface SnapshotNote {
  /** See `snapshotNameOf`. */
  readonly database: string
  readonly point: BasePoint
  /** The oldest revision that the database kept. */
  readonly floor: Revision
  /** When the database last confirmed that these are its records. Epoch milliseconds. */
  readonly confirmedAt: number
  /** The names of all files with records, in order, below the folder of the snapshot. */
  readonly files: readonly string[]
  /** Absent if the tokens were never read. */
  readonly access?: NotedAccess
}

/** A line of JSON, and its SHA-256. */
export function printNote(note: SnapshotNote): Uint8Array {
  const line = JSON.stringify({ snapshot: NOTE_NUMBER, ...note })
  return Buffer.from(`${line}\n${hash('sha256', line, 'hex')}\n`)
}

/** @throws COORD_ARCHIVE_DAMAGED */
export function parseNote(name: string, content: Uint8Array): SnapshotNote {
  const [line = '', sum, end, ...more] = Buffer.from(content).toString('utf8').split('\n')
  if (sum !== hash('sha256', line, 'hex') || end !== '' || more.length > 0)
    throw damaged(name, 'Its sum is wrong.')
  const { snapshot, database, point, floor, confirmedAt, files, access } = storedObject(line) ?? {}
  if (snapshot !== NOTE_NUMBER) throw damaged(name, 'It was written by another version of this program.')
  const known = pointOf(point)
  const tokens = access === undefined ? undefined : accessOf(access)
  if (!isText(database) || known === undefined || !isCount(floor) || !isCount(confirmedAt))
    throw damaged(name, 'It is no note of a snapshot.')
  if (!isTextList(files) || (access !== undefined && tokens === undefined))
    throw damaged(name, 'It is no note of a snapshot.')
  return {
    ...{ database, point: known, floor, confirmedAt, files },
    ...(tokens === undefined ? {} : { access: tokens }),
  }
}

function pointOf(value: unknown): BasePoint | undefined {
  const { lineage, ancestors, revision, digest, at } = Object(value) as JsonObject
  if (!isText(lineage) || !isTextList(ancestors) || !isCount(revision) || !isText(digest) || !isCount(at))
    return undefined
  return { lineage, ancestors, revision, digest, at }
}

function accessOf(value: unknown): NotedAccess | undefined {
  const { file, confirmedAt } = Object(value) as JsonObject
  return isText(file) && isCount(confirmedAt) ? { file, confirmedAt } : undefined
}
