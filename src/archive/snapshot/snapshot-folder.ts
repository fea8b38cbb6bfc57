import { randomUUID } from 'node:crypto'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { FolderDestination } from '../destination/folder-destination.ts'
import { folderFault } from '../destination/folder-fault.ts'
import { parseNote, printNote, type SnapshotNote } from './snapshot-note.ts'

/** How many whole snapshots are kept. */
const KEPT = 2
/** An unfinished snapshot into which nothing was written for so long is that of a process that ended. Milliseconds. */
const ABANDONED_MS = 300_000
/** The clock was set back if a snapshot is newer than this. Milliseconds. */
export const CLOCK_TOLERANCE_MS = 60_000

const folderForm = /^\d{16}-[0-9a-f-]{36}$/
const noteForm = /^confirmed-(\d{16})-[0-9a-f]{8}\.json$/

/** Where a snapshot is. */
export interface SnapshotPlace {
  /** The name of its folder. */
  readonly folder: string
  /** The name of its newest note, below all snapshots. */
  readonly note: string
  /** As its note says. Epoch milliseconds. */
  readonly confirmedAt: number
}

/**
 * The snapshots of one database. Each has a folder of its own, so that no two writers ever meet in a file. Files are written under temporary
 * names, and are durable before they get their own.
 */
export class SnapshotFolder {
  readonly path: string
  readonly #files: FolderDestination

  /**
   * @param directory see SNAPSHOT_DIR
   * @param database see `snapshotNameOf`
   */
  constructor(directory: string, database: string) {
    this.path = join(directory, database)
    this.#files = new FolderDestination({ path: this.path, timeoutMs: 10_000 })
  }

  /** The name of a new folder. Nobody else gets the same. */
  newFolder(at: number): string {
    return `${digits(at)}-${randomUUID()}`
  }

  /** Durable when it resolves. */
  write(folder: string, name: string, content: Uint8Array, signal?: AbortSignal): Promise<void> {
    return this.#files.write(`${folder}/${name}`, content, signal)
  }

  /** @throws COORD_ARCHIVE_DAMAGED if there is no such file */
  read(folder: string, name: string, signal?: AbortSignal): Promise<Uint8Array> {
    return this.#files.read(`${folder}/${name}`, signal)
  }

  /**
   * Makes a snapshot whole, or confirms it again. Earlier notes of the same snapshot are removed.
   *
   * @returns whether the snapshot is there: another coordinator may have removed it, because it keeps two newer ones
   */
  async writeNote(folder: string, note: SnapshotNote, signal?: AbortSignal): Promise<boolean> {
    const name = `confirmed-${digits(note.confirmedAt)}-${randomUUID().slice(0, 8)}.json`
    await this.write(folder, name, printNote(note), signal)
    const missing = new Set([...note.files, ...(note.access === undefined ? [] : [note.access.file])])
    for await (const { name: found } of this.#files.list(`${folder}/`, signal)) {
      const file = found.slice(folder.length + 1)
      missing.delete(file)
      if (noteForm.test(file) && file !== name) await this.#files.remove(found, signal)
    }
    if (missing.size > 0) await this.remove(folder)
    return missing.size === 0
  }

  /** @throws COORD_ARCHIVE_DAMAGED */
  async readNote({ note }: SnapshotPlace, signal?: AbortSignal): Promise<SnapshotNote> {
    return parseNote(note, await this.#files.read(note, signal))
  }

  /** Every whole snapshot, the newest first. Those from the future are the last: the clock was set back. */
  async list(now: number, signal?: AbortSignal): Promise<SnapshotPlace[]> {
    return placesIn(await this.#survey(signal), now)
  }

  /** Removes old snapshots, and unfinished ones that nobody continues. Anything else in the folder stays. */
  async prune(now: number, own: string | undefined): Promise<void> {
    const survey = await this.#survey()
    const kept = new Set(
      placesIn(survey, now)
        .slice(0, KEPT)
        .map(({ folder }) => folder),
    )
    for (const [folder, { note, writtenAt }] of survey) {
      if (kept.has(folder) || folder === own) continue
      if (note === undefined && now - writtenAt < ABANDONED_MS) continue
      await this.remove(folder)
    }
  }

  async remove(folder: string): Promise<void> {
    // Without its note, nobody takes the rest for a snapshot.
    for await (const { name } of this.#files.list(`${folder}/confirmed-`)) await this.#files.remove(name)
    try {
      await rm(join(this.path, folder), { recursive: true, force: true })
    } catch (error) {
      throw folderFault(error, this.path)
    }
  }

  async #survey(signal?: AbortSignal): Promise<Survey> {
    const survey: Survey = new Map()
    const folders = await foldersIn(this.path).catch((error: unknown) => {
      throw folderFault(error, this.path)
    })
    for (const folder of folders)
      survey.set(folder, { writtenAt: Number(folder.slice(0, 16)), note: undefined })
    for await (const { name, writtenAt } of this.#files.list('', signal)) {
      const [folder = '', file = ''] = name.split('/')
      const known = survey.get(folder)
      if (known === undefined) continue
      known.writtenAt = Math.max(known.writtenAt, writtenAt)
      const [, confirmedAt] = noteForm.exec(file) ?? []
      if (confirmedAt !== undefined && name.split('/').length === 2)
        known.note = { folder, note: name, confirmedAt: Number(confirmedAt) }
    }
    return survey
  }
}

type Survey = Map<string, { writtenAt: number; note: SnapshotPlace | undefined }>

async function foldersIn(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  return entries.filter((entry) => entry.isDirectory() && folderForm.test(entry.name)).map(({ name }) => name)
}

function placesIn(survey: Survey, now: number): SnapshotPlace[] {
  const rank = ({ confirmedAt }: SnapshotPlace) =>
    confirmedAt > now + CLOCK_TOLERANCE_MS ? -confirmedAt : confirmedAt
  return [...survey.values()]
    .flatMap(({ note }) => note ?? [])
    .sort((a, b) => rank(b) - rank(a) || (a.folder < b.folder ? 1 : -1))
}

function digits(time: number): string {
  return String(Math.max(0, Math.floor(time))).padStart(16, '0')
}
