import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { SqliteOptions } from '../../src/database/sqlite/options.ts'
import { SqliteStore } from '../../src/database/sqlite/store.ts'

export interface Folder {
  readonly path: string
  /** Path of a file in the folder. */
  file(name?: string): string
  /** A store on a file of the folder, not opened. It is closed at the end. */
  store(options?: Partial<SqliteOptions>): SqliteStore
}

/** Expects that stores on these files of a folder are refused, because another one owns the file behind each name. */
export async function expectLocked({ file, store }: Folder, ...names: readonly string[]): Promise<void> {
  for (const name of names)
    await expect(store({ path: file(name) }).open(), name).rejects.toMatchObject({
      code: 'COORD_STORE_LOCKED',
    })
}

/** Makes a test function: a folder is made for it, and removed after it. */
export function inFolder(body: (folder: Folder) => Promise<void>): () => Promise<void> {
  return async () => {
    const path = await mkdtemp(join(tmpdir(), 'coordinator-sqlite-'))
    const stores: SqliteStore[] = []
    const file = (name = 'coordinator.db') => join(path, name)
    try {
      await body({
        path,
        file,
        store: (options) => {
          const store = new SqliteStore({ path: file(), lockTimeoutMs: 0, ...options })
          stores.push(store)
          return store
        },
      })
    } finally {
      await Promise.all(stores.map((store) => store.close()))
      await rm(path, { recursive: true, force: true })
    }
  }
}
