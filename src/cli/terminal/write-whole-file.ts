import type { Stats } from 'node:fs'
import { type FileHandle, open, realpath, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { CoordinatorError } from '../../errors.ts'

/**
 * Writes a file that is there whole or not at all, also after a loss of power: the text goes into another file of the same folder, which
 * takes the place of the old one at the end. A path of something else than a file, such as a pipe, is written to directly.
 *
 * @param write writes everything; if it throws, the file stays as it was
 * @throws COORD_OUTPUT_UNWRITABLE, and what `write` throws
 */
export async function writeWholeFile<T>(
  path: string,
  write: (add: (text: string) => Promise<void>) => Promise<T>,
): Promise<T> {
  let file: FileHandle | undefined
  const guarded = <R>(work: Promise<R>): Promise<R> =>
    work.catch((cause: NodeJS.ErrnoException) => {
      throw new CoordinatorError('COORD_OUTPUT_UNWRITABLE', {
        detail: `${path} cannot be written (${cause.code ?? cause.message}).`,
        hint: 'Check the path and the free space of the disk.',
        cause,
      })
    })
  const found = await guarded(existing(path))
  const target = found === undefined ? path : await guarded(realpath(path))
  const isPlain = found === undefined || found.isFile()
  const written = isPlain ? join(dirname(target), `.${basename(target)}.${process.pid}.part`) : target
  try {
    const opened = await guarded(open(written, 'w'))
    file = opened
    const result = await write((text) => guarded(opened.writeFile(text)))
    if (isPlain) await guarded(opened.sync())
    await guarded(opened.close())
    if (isPlain) {
      await guarded(rename(written, target))
      await guarded(syncFolder(dirname(target)))
    }
    return result
  } catch (thrown) {
    // The file is given up. The fault that is reported is the first one.
    await file?.close().catch(() => undefined)
    if (isPlain && file !== undefined) await rm(written, { force: true })
    throw thrown
  }
}

async function existing(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path)
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw thrown
  }
}

/** Makes the new name of the file durable. Windows cannot open folders. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return
  await using folder = await open(path, 'r')
  await folder.sync()
}
