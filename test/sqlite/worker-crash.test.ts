import { once } from 'node:events'
import type { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { commitOf, idsOf, newCall, put, tokenOf } from '../conformance/build.ts'
import { accepted, Caller, loadAll } from '../conformance/caller.ts'
import { inFolder } from './in-folder.ts'

const threads: Worker[] = []
const note = (worker: Worker) => threads.push(worker)

beforeEach(() => {
  threads.length = 0
  process.on('worker', note)
})
afterEach(() => {
  process.off('worker', note)
})

describe('sqlite: the thread that owns the file ends unexpectedly', () => {
  it(
    'fails what is under way as unknown; the next call starts another thread, and the same batch is harmless',
    inFolder(async ({ store }) => {
      const owner = store()
      await owner.open()
      const caller = await Caller.at(owner)
      const batch = idsOf('r', 500).map((id) => commitOf(put(id)))
      const committing = owner.commit(caller.position, batch, newCall())
      const reading = owner.head()
      const failures = Promise.allSettled([committing, reading])
      await threads[0]?.terminate()
      for (const result of await failures) {
        if (result.status === 'fulfilled') continue
        expect(result.reason).toMatchObject({ code: 'COORD_STORE_FAULT', retryable: true })
      }
      const [commitFailure] = await failures
      if (commitFailure.status === 'rejected')
        expect(commitFailure.reason).toMatchObject({ outcome: 'unknown' })

      const results = await caller.send(...batch)
      expect(results.map((result) => accepted(result).revision)).toEqual(batch.map((_, index) => index + 1))
      expect(threads).toHaveLength(2)
      expect((await loadAll(owner)).records).toHaveLength(500)
    }),
  )

  it(
    'leaves the outcome of a token as unknown, and the same token again is harmless',
    inFolder(async ({ store }) => {
      const owner = store()
      await owner.open()
      const putting = Promise.allSettled(['a', 'b', 'c'].map((name) => owner.access.put(tokenOf(name))))
      await threads[0]?.terminate()
      for (const result of await putting)
        if (result.status === 'rejected')
          expect(result.reason).toMatchObject({ code: 'COORD_STORE_FAULT', outcome: 'unknown' })
      for (const name of ['a', 'b', 'c']) await owner.access.put(tokenOf(name))
      const { tokens, version } = await owner.access.load()
      expect(tokens.map(({ name }) => name)).toEqual(['a', 'b', 'c'])
      expect((await owner.head()).accessVersion).toBe(version)
    }),
  )

  it(
    'goes on for many callers at once with one new thread',
    inFolder(async ({ store }) => {
      const owner = store()
      await owner.open()
      await threads[0]?.terminate()
      const heads = await Promise.all(Array.from({ length: 10 }, () => owner.head()))
      expect(new Set(heads.map(({ position }) => position.lineage)).size).toBe(1)
      expect(threads).toHaveLength(2)
    }),
  )

  it(
    'answers with the cause while the file cannot be opened again, and by itself goes on afterwards',
    inFolder(async ({ store }) => {
      const owner = store()
      await owner.open()
      const caller = await Caller.at(owner)
      await threads[0]?.terminate()
      const usurper = store()
      await usurper.open()
      for (let attempt = 0; attempt < 2; attempt += 1)
        await expect(caller.write(put('a'))).rejects.toMatchObject({
          code: 'COORD_STORE_LOCKED',
          outcome: 'not_written',
        })
      await expect(owner.head()).rejects.toMatchObject({ code: 'COORD_STORE_LOCKED' })
      await usurper.close()
      expect(accepted(await caller.write(put('a'))).revision).toBe(1)
    }),
  )

  it(
    'can be closed, and then no call starts a thread',
    inFolder(async ({ store }) => {
      const owner = store()
      await owner.open()
      const [thread] = threads
      const ended = once(thread as Worker, 'exit')
      await thread?.terminate()
      await ended
      await owner.close()
      await expect(owner.head()).rejects.toMatchObject({ code: 'COORD_STORE_UNAVAILABLE' })
      expect(threads).toHaveLength(1)
    }),
  )
})
