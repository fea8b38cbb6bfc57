import { DatabaseSync } from 'node:sqlite'
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { examineStore } from '../../src/database/examine-store.ts'
import { loadAll, recordsAsOf } from '../conformance/caller.ts'
import { inFolder } from './in-folder.ts'
import { entriesOf, PARTS, pointOf, recordsAtEnd, recordsOf } from './moved-history.ts'
import { runProcess } from './run-process.ts'

/** How many kills there are in the seed of a history, and as many in its replay. */
const kills = 6

describe('sqlite: kill -9 in the middle of a seed, a replay, or a seed that replaces another one', () => {
  it(
    'leaves a sound file that serves nothing, and the same calls again bring it to its end',
    inFolder(async ({ file, store }) => {
      const killed = { records: 0, entries: 0 }
      // The second history finds all of the first one.
      for (const name of ['first', 'second']) {
        let isMoved = false
        for (let kill = 0; !isMoved; kill += 1) {
          const mover = runProcess('move', file(), { name })
          const opened = await mover.next()
          if (!('head' in opened)) throw new Error(JSON.stringify(opened))
          // The first ones in the removal of what is there and in the seed, the later ones in the replay, the last one at its end.
          const hasEntries = opened.head.revision > pointOf(name).position.revision
          const what = kill >= 2 * kills ? 'all' : kill < kills && !hasEntries ? 'records' : 'entries'
          const wanted =
            what === 'all' ? 1 : Math.floor((Math.random() * PARTS * ((kill % kills) + 1)) / kills)
          for (let seen = 0; seen < wanted; ) {
            const next = await mover.next()
            if ('moved' in next && next.moved === 'all') break
            if ('moved' in next && next.moved === what) seen += 1
          }
          await pause(Math.random() * 10)
          await mover.kill()
          const done = mover.messages.flatMap((message) => ('moved' in message ? [message.moved] : []))
          isMoved = done.includes('all')
          const failed = mover.messages.find((message) => 'failed' in message)
          if (failed !== undefined) throw new Error(JSON.stringify(failed))
          if (!isMoved) killed[done.includes('entries') ? 'entries' : 'records'] += 1

          const database = new DatabaseSync(file(), { readOnly: true })
          expect(database.prepare('pragma integrity_check').all()).toEqual([{ integrity_check: 'ok' }])
          database.close()
          const reopened = store()
          const head = await reopened.open()
          expect(await examineStore(reopened.inspector)).toEqual({ damages: [], count: 0 })
          if (done.length > 0) {
            expect(head.mode).toBe('seeding')
            expect(head.position.lineage).toBe(pointOf(name).position.lineage)
            await expect(Array.fromAsync(reopened.load())).rejects.toMatchObject({
              code: 'COORD_STORE_FROZEN',
            })
          }
          await reopened.close()
        }
        const whole = store()
        await whole.open()
        const head = await whole.setMode('seeding', 'copy')
        const { position } = pointOf(name)
        const last = entriesOf(name).at(-1)?.entries.at(-1)
        expect(head).toMatchObject({
          position: { lineage: position.lineage, revision: last?.revision, digest: last?.digest },
          ...{ floor: position.revision, at: last?.at, ancestors: pointOf(name).ancestors },
        })
        expect((await loadAll(whole)).records).toEqual(recordsAtEnd(name))
        const seeded = Array.from({ length: PARTS }, (_, part) => recordsOf(name, part)).flat()
        expect((await recordsAsOf(whole, { revision: position.revision })).records).toEqual(seeded)
        await whole.setMode('copy', 'seeding')
        await whole.close()
      }
      expect(killed.records).toBeGreaterThan(kills / 2)
      expect(killed.entries).toBeGreaterThan(kills / 2)
      console.log(
        `killed ${killed.records} times in a seed, ${killed.entries} times in a replay; nothing lost`,
      )
    }),
  )
})
