import { statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { nextDigest } from '../../src/records/digest.ts'
import { Caller, loadAll } from '../conformance/caller.ts'
import { inFolder } from './in-folder.ts'
import { runProcess } from './run-process.ts'

const kills = 30

describe('sqlite: kill -9 under load', () => {
  it(
    `${kills} kills lose no acknowledged commit, and leave a sound file whose journal has no gap`,
    inFolder(async ({ file, store }) => {
      const acknowledged = new Map<string, number>()
      let lineage: string | undefined
      let newest = 0
      for (let kill = 0; kill < kills; kill += 1) {
        const writer = runProcess('write', file())
        const first = await writer.next()
        if (!('head' in first)) throw new Error(JSON.stringify(first))
        lineage ??= first.head.lineage
        expect(first.head.lineage).toBe(lineage)
        expect(first.head.revision).toBeGreaterThanOrEqual(newest)
        // Under load: the first batch is through.
        await writer.next()
        await pause(Math.random() * 400)
        await writer.kill()
        expect(writer.child.signalCode).toBe('SIGKILL')
        for (const message of writer.messages.slice(1)) {
          if (!('acknowledged' in message)) throw new Error(JSON.stringify(message))
          for (const { id, revision } of message.acknowledged) acknowledged.set(id, revision)
          newest = Math.max(newest, ...message.acknowledged.map(({ revision }) => revision))
        }
        // A connection that could write would recover the log: that is left to the store.
        expect(statSync(file('coordinator.db-wal')).size).toBeGreaterThan(0)
        const database = new DatabaseSync(file(), { readOnly: true })
        expect(database.prepare('pragma integrity_check').all()).toEqual([{ integrity_check: 'ok' }])
        database.close()
      }
      expect(acknowledged.size).toBeGreaterThan(kills * 10)

      const reopened = store()
      const head = await reopened.open()
      const records = new Map((await loadAll(reopened)).records.map(({ id, revision }) => [id, revision]))
      const lost = [...acknowledged].filter(([id, revision]) => records.get(id) !== revision)
      expect(lost).toEqual([])
      expect(records.size).toBe(head.position.revision)

      const start = { lineage: head.position.lineage, revision: 0, digest: head.position.lineage }
      const caller = new Caller(reopened, start)
      const entries = await caller.follow()
      expect(entries).toHaveLength(head.position.revision)
      const digest = entries.reduce((previous, { commitId }) => nextDigest(previous, commitId), start.digest)
      expect(digest).toBe(head.position.digest)
      console.log(
        `${kills} kills, ${acknowledged.size} acknowledged commits, none lost; head ${head.position.revision}`,
      )
    }),
  )
})
