import { statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { newCall, put } from '../conformance/build.ts'
import { accepted, Caller, loadAll } from '../conformance/caller.ts'
import { inFolder } from './in-folder.ts'
import { runProcess } from './run-process.ts'

describe('sqlite: acknowledged means durable', () => {
  it(
    'writes through a connection in WAL mode with synchronous=full',
    inFolder(async ({ file, store }) => {
      const owner = store({ busyTimeoutMs: 1_234 })
      await owner.open()
      const { details, schemaVersion, serverVersion } = await owner.inspector.inspect()
      expect(details).toMatchObject({
        file: file(),
        journalMode: 'wal',
        synchronous: 'full',
        busyTimeoutMs: 1_234,
        checkpointPages: 8_000,
      })
      expect(schemaVersion).toBe(3)
      expect(serverVersion).toMatch(/^3\.\d+/)
    }),
  )

  it(
    'has what was acknowledged after kill -9, and a head that agrees with its journal',
    inFolder(async ({ file, store }) => {
      const writer = runProcess('write', file())
      const acknowledged: { id: string; revision: number }[] = []
      await writer.next()
      while (acknowledged.length < 300) {
        const message = await writer.next()
        if ('acknowledged' in message) acknowledged.push(...message.acknowledged)
      }
      await writer.kill()
      const reopened = store()
      const head = await reopened.open()
      const { records } = await loadAll(reopened)
      const revisions = new Map(records.map(({ id, revision }) => [id, revision]))
      for (const { id, revision } of acknowledged) expect(revisions.get(id)).toBe(revision)
      expect(records).toHaveLength(head.position.revision)
    }),
  )

  it(
    'writes for an empty batch too, which asks whether writes work',
    inFolder(async ({ file, store }) => {
      const owner = store()
      const { position } = await owner.open()
      const before = statSync(file('coordinator.db-wal')).size
      expect(await owner.commit(position, [], newCall())).toMatchObject({ status: 'ok', entries: [] })
      expect(statSync(file('coordinator.db-wal')).size).toBeGreaterThan(before)
      expect((await owner.head()).position).toEqual(position)
    }),
  )

  it(
    'uses only strict tables, so that no value can have another type than its column',
    inFolder(async ({ file, store }) => {
      const owner = store()
      await owner.open()
      await owner.close()
      const database = new DatabaseSync(file())
      const tables = database
        .prepare(`select name, strict from pragma_table_list where schema = 'main'`)
        .all()
      database.close()
      const ours = tables.filter(({ name }) => !String(name).startsWith('sqlite_'))
      expect(ours.map(({ name }) => name).sort()).toEqual([
        'access_tokens',
        'head',
        'journal',
        'migrations',
        'records',
        'seeded',
        'unchanged',
        'writes',
      ])
      expect(ours.every(({ strict }) => strict === 1)).toBe(true)
    }),
  )

  it(
    'says what its connection does',
    inFolder(async ({ store }) => {
      const owner = store()
      const nothing = { idle: 0, used: 0, waiting: 0, max: 0 }
      expect(owner.pool()).toEqual({ writer: { ...nothing, max: 1 }, follower: nothing, reader: nothing })
      await owner.open()
      expect(owner.pool().writer).toEqual({ idle: 1, used: 0, waiting: 0, max: 1 })
      const caller = await Caller.at(owner)
      const writes = [caller.store.head(), caller.store.head(), caller.store.head()]
      await Promise.resolve()
      expect(owner.pool().writer).toEqual({ idle: 0, used: 1, waiting: 2, max: 1 })
      await Promise.all(writes)
      expect(accepted(await caller.write(put('a'))).revision).toBe(1)
      await owner.close()
      expect(owner.pool().writer).toEqual({ ...nothing, max: 1 })
    }),
  )
})
