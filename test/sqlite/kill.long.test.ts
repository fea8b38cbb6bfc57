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
      for (let kill = 0; kill < kills; kill += 1) {
        const writer = runProcess('write', file())
        const first = await writer.next()
        if (!('head' in first)) throw new Error(JSON.stringify(first))
        lineage ??= first.head.lineage
        expect(first.head.lineage).toBe(lineage)
        expect(first.head.revision).toBeGreaterThanOrEqual(Math.max(0, ...acknowledged.values()))
        await pause(50 + Math.random() * 400)
        await writer.kill()
        for (const message of writer.messages)
          if ('acknowledged' in message)
            for (const { id, revision } of message.acknowledged) acknowledged.set(id, revision)
        const database = new DatabaseSync(file())
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
