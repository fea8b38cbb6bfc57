import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { commitOf, put } from '../conformance/build.ts'
import { accepted, Caller } from '../conformance/caller.ts'
import { inFolder } from './in-folder.ts'

describe('sqlite: deadlines', () => {
  it(
    'a call without an answer in time fails, a commit as unknown; the same batch later tells what became of it',
    inFolder(async ({ file, store }) => {
      const owner = store({ callTimeoutMs: 100, busyTimeoutMs: 10_000 })
      await owner.open()
      const caller = await Caller.at(owner)
      const other = new DatabaseSync(file())
      other.exec('begin immediate')
      const commit = commitOf(put('a'))
      const late = [caller.send(commit), owner.head()]
      const [written, read] = await Promise.allSettled(late)
      expect(written).toMatchObject({
        reason: { code: 'COORD_STORE_TIMEOUT', outcome: 'unknown', retryable: true },
      })
      expect(read).toMatchObject({ reason: { code: 'COORD_STORE_TIMEOUT', outcome: undefined } })
      other.exec('rollback')
      other.close()
      await expect.poll(() => owner.head().catch(() => undefined)).toBeDefined()
      expect(accepted((await caller.send(commit))[0])).toMatchObject({ revision: 1, replayed: true })
    }),
  )

  it(
    'an open and a migration have none: they take as long as the file is large',
    inFolder(async ({ store }) => {
      const owner = store({ callTimeoutMs: 0 })
      expect((await owner.migrator.migrate()).current).toBeGreaterThan(0)
      expect((await owner.open()).position.revision).toBe(0)
    }),
  )
})
