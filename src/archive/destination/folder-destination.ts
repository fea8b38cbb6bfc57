import { randomUUID } from 'node:crypto'
import type { Stats } from 'node:fs'
import * as nodeFiles from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { FILE_BYTES_MAX } from '../format/archive-format.ts'
import { damaged } from '../format/damaged.ts'
import { checkName, isFileName } from './check-name.ts'
import type { ArchivedFile, Destination } from './destination.ts'
import { folderFault, folderTooLate, isLink } from './folder-fault.ts'
import { inOrder } from './in-order.ts'
import { OneAtATime } from './one-at-a-time.ts'

/** What a folder needs of the file system. */
export type Files = Pick<typeof nodeFiles, 'mkdir' | 'open' | 'readdir' | 'lstat' | 'rename' | 'unlink'>

export interface FolderOptions {
  /** The absolute path. It is created when the first file is written. */
  readonly path: string
  /** How long one call may take, in milliseconds. @default 30_000 */
  readonly timeoutMs?: number
  /** @default those of Node.js */
  readonly files?: Files
}

/** Unfinished files have names that begin like this. No list has them. */
const UNFINISHED = '.unfinished-'
/** After this time, nobody writes an unfinished file any more. Milliseconds. */
const ABANDONED_MS = 86_400_000
/** How many files one call looks at: on a network share, each takes a round trip. */
const STATS_AT_ONCE = 500
/** Only the account of the coordinator reads what it stores. */
const FOLDER_MODE = 0o700
const FILE_MODE = 0o600

/** An archive in a folder: of this machine, or of another one that is mounted here. */
export class FolderDestination implements Destination {
  readonly shownUrl: string
  readonly #path: string
  readonly #timeoutMs: number
  readonly #files: Files
  readonly #calls = new OneAtATime()
  /** The folders that exist, are durable, and have no abandoned files. */
  readonly #prepared = new Set<string>()

  constructor({ path, timeoutMs = 30_000, files = nodeFiles }: FolderOptions) {
    this.#path = path
    this.#timeoutMs = timeoutMs
    this.#files = files
    this.shownUrl = pathToFileURL(path).href
  }

  async *list(prefix: string, signal?: AbortSignal): AsyncGenerator<ArchivedFile> {
    const names: string[] = []
    const folders = ['']
    for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
      const at = folder
      const inside = await this.#call(() => this.#readFolder(at, prefix), signal)
      folders.push(...inside.folders)
      // There can be more of them than a call may have arguments.
      for (const name of inside.files) names.push(name)
    }
    const files: ArchivedFile[] = []
    for (let at = 0; at < names.length; at += STATS_AT_ONCE) {
      const some = names.slice(at, at + STATS_AT_ONCE)
      files.push(...(await this.#call((isWanted) => this.#describe(some, isWanted), signal)))
    }
    // The order of whole names is not that of the folders: `a-b` comes before `a/b`.
    yield* inOrder(files)
  }

  async read(name: string, signal?: AbortSignal): Promise<Uint8Array> {
    checkName(name)
    return this.#call(async () => {
      const stats = await this.#stats(name)
      if (stats === undefined) throw damaged(name, 'There is no such file.')
      return this.#readFile(name, stats)
    }, signal)
  }

  async write(name: string, content: Uint8Array, signal?: AbortSignal): Promise<void> {
    checkName(name)
    await this.#call(async (isWanted) => {
      const folder = join(this.#path, dirname(name))
      // If somebody removed everything, the caller must hear it, and not find some folders there again.
      if (this.#prepared.size > 0) await this.#files.lstat(this.#path)
      await this.#prepare(folder)
      await this.#refuseLinks(folder)
      // A process that was killed may have given it its name, and not have made the name durable.
      if ((await this.#stats(name))?.size === content.length) return this.#syncFolder(folder)
      const unfinished = join(folder, `${UNFINISHED}${randomUUID()}`)
      try {
        await this.#writeFile(unfinished, content)
        // A caller that has gone away may be writing the same file elsewhere.
        if (isWanted()) await this.#files.rename(unfinished, join(this.#path, name))
        else await this.#files.unlink(unfinished)
      } catch (error) {
        await this.#files.unlink(unfinished).catch(isMissing)
        throw error
      }
      await this.#syncFolder(folder)
    }, signal)
  }

  async remove(name: string, signal?: AbortSignal): Promise<void> {
    checkName(name)
    await this.#call(async () => {
      const path = join(this.#path, name)
      const isGone = await this.#files.unlink(path).then(() => true, isMissing)
      if (isGone) await this.#syncFolder(dirname(path))
    }, signal)
  }

  async close(): Promise<void> {}

  async #call<T>(call: (isWanted: () => boolean) => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    const timeoutMs = this.#timeoutMs
    const tooLate = () => folderTooLate(this.shownUrl, timeoutMs)
    try {
      return await this.#calls.run(call, { timeoutMs, tooLate, signal })
    } catch (error) {
      if (signal?.aborted === true && error === signal.reason) throw error
      // Somebody removed a folder: the next attempt creates it again.
      if (Object(error).code === 'ENOENT') this.#prepared.clear()
      throw folderFault(error, this.shownUrl)
    }
  }

  /** What one folder has that belongs to a list. Links are followed nowhere. */
  async #readFolder(folder: string, prefix: string): Promise<{ folders: string[]; files: string[] }> {
    const read = this.#files.readdir(join(this.#path, folder), { withFileTypes: true })
    const entries = await read.catch((error: NodeJS.ErrnoException) => {
      isMissing(error)
      return []
    })
    const found: { folders: string[]; files: string[] } = { folders: [], files: [] }
    for (const entry of entries) {
      const name = folder === '' ? entry.name : `${folder}/${entry.name}`
      if (entry.isDirectory() && mayHold(name, prefix) && isFileName(name)) found.folders.push(name)
      if (entry.isFile() && name.startsWith(prefix) && !entry.name.startsWith('.')) found.files.push(name)
    }
    return found
  }

  /** Sizes and times of files. Those that were removed meanwhile are left out. */
  async #describe(names: readonly string[], isWanted: () => boolean): Promise<ArchivedFile[]> {
    const files: ArchivedFile[] = []
    for (const name of names) {
      if (!isWanted()) break
      const stats = await this.#stats(name)
      if (stats !== undefined) files.push({ name, bytes: stats.size, writtenAt: Math.floor(stats.mtimeMs) })
    }
    return files
  }

  /** @returns `undefined` if there is no such file */
  async #stats(name: string): Promise<Stats | undefined> {
    const stats = await this.#files.lstat(join(this.#path, name)).catch((error: NodeJS.ErrnoException) => {
      isMissing(error)
      return undefined
    })
    if (stats !== undefined && !stats.isFile())
      throw damaged(name, 'It is no file, but a link, a folder or a device.')
    return stats
  }

  async #readFile(name: string, { size }: Stats): Promise<Buffer> {
    if (size > FILE_BYTES_MAX) throw damaged(name, `It has ${size} bytes; ${FILE_BYTES_MAX} are the most.`)
    const file = await this.#files.open(join(this.#path, name), 'r')
    try {
      // Nothing is ever appended to a file: what was not there when its size was read is no part of it.
      const content = Buffer.alloc(size)
      let length = 0
      while (length < size) {
        const { bytesRead } = await file.read(content, length, size - length, length)
        if (bytesRead === 0) throw damaged(name, 'It became shorter while it was read.')
        length += bytesRead
      }
      return content
    } finally {
      await file.close()
    }
  }

  async #writeFile(path: string, content: Uint8Array): Promise<void> {
    const file = await this.#files.open(path, 'wx', FILE_MODE)
    try {
      await file.writeFile(content)
      await file.sync()
    } finally {
      await file.close()
    }
  }

  /** Before its first file: creates a folder, makes it and those above it durable, and removes what is abandoned in it. */
  async #prepare(folder: string): Promise<void> {
    if (this.#prepared.has(folder)) return
    await this.#files.mkdir(folder, { recursive: true, mode: FOLDER_MODE })
    for (let at = folder; at.length >= this.#path.length; at = dirname(at))
      await this.#syncFolder(dirname(at))
    await this.#sweep(folder)
    this.#prepared.add(folder)
  }

  /** Lists follow no links below the path. What is written through one would never be found. */
  async #refuseLinks(folder: string): Promise<void> {
    for (let at = folder; at.length > this.#path.length; at = dirname(at))
      if (!(await this.#files.lstat(at)).isDirectory()) throw isLink(this.shownUrl, basename(at))
  }

  /** After a crash, a name that was not synchronized may be gone, although the content of the file is there. */
  async #syncFolder(folder: string): Promise<void> {
    const handle = await this.#files.open(folder, 'r')
    try {
      await handle.sync().catch(isWithoutFolderSync)
    } finally {
      await handle.close()
    }
  }

  /** Removes what a process left that was killed while it wrote. */
  async #sweep(folder: string): Promise<void> {
    for (const name of await this.#files.readdir(folder)) {
      if (!name.startsWith(UNFINISHED)) continue
      const path = join(folder, name)
      const { mtimeMs } = await this.#files.lstat(path)
      if (Date.now() - mtimeMs > ABANDONED_MS) await this.#files.unlink(path).catch(isMissing)
    }
  }
}

/** Whether a folder may hold files whose names begin with the prefix. */
function mayHold(folder: string, prefix: string): boolean {
  return `${folder}/`.startsWith(prefix) || prefix.startsWith(`${folder}/`)
}

/** Passes over the fault that a file is not there. */
function isMissing(error: NodeJS.ErrnoException): false {
  if (error.code !== 'ENOENT') throw error
  return false
}

/** Passes over the fault that a file system cannot synchronize folders: those of network shares write names at once, and say EINVAL. */
function isWithoutFolderSync(error: NodeJS.ErrnoException): void {
  if (!['EINVAL', 'ENOTSUP', 'ENOSYS'].includes(error.code ?? '')) throw error
}
