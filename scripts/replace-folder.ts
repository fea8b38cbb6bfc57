import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'

/**
 * Builds beside what a folder has, and then puts each new file into its place. A coordinator that runs from this folder finds a whole build at
 * every moment: the page that names other files comes last, and what the new build lacks goes after that. A build that fails changes nothing.
 *
 * @param build writes into the empty folder that it gets
 */
export async function replaceFolder(folder: string, build: (empty: string) => Promise<void>): Promise<void> {
  await mkdir(folder, { recursive: true })
  // Within the folder: a rename does not cross file systems.
  const built = await mkdtemp(join(folder, '.building-'))
  try {
    await build(built)
    const files = await filesIn(built)
    const pagesLast = files.toSorted((one, other) => Number(isPage(one)) - Number(isPage(other)))
    for (const file of pagesLast) {
      await mkdir(dirname(join(folder, file)), { recursive: true })
      await rename(join(built, file), join(folder, file))
    }
    const kept = new Set(files)
    for (const file of await filesIn(folder)) if (!kept.has(file)) await rm(join(folder, file))
  } finally {
    await rm(built, { recursive: true, force: true })
  }
}

function isPage(file: string): boolean {
  return basename(file) === 'index.html'
}

/** Paths below the folder. */
async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => !entry.isDirectory())
    .map(({ parentPath, name }) => relative(folder, join(parentPath, name)))
}
