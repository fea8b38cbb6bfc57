import { expect, it } from 'vitest'
import { diagnose } from '../../src/database/diagnosis/diagnose.ts'
import { NOW } from '../../src/database/store.ts'
import { Live } from '../../src/live/live.ts'
import { commitOf, put } from '../conformance/build.ts'
import { Caller, recordsAsOf } from '../conformance/caller.ts'
import { plainDomain, until } from '../support/with-live.ts'
import { inFolder } from './in-folder.ts'

const hourMs = 3_600_000

it(
  'a clock that was ahead once is told by the log, by the inspection and by doctor, and now is the newest revision all the same',
  inFolder(async ({ file, store }) => {
    const ahead = store({ now: () => Date.now() + hourMs })
    await ahead.open()
    await (await Caller.at(ahead)).write(put('a'))
    await ahead.close()

    const live = new Live(store(), plainDomain)
    const told: number[] = []
    live.observe({ clock: (aheadMs) => told.push(aheadMs) })
    await live.start()
    try {
      await until(() => told.length > 0)
      expect(told[0]).toBeGreaterThan(hourMs - 60_000)
      const facts = await live.store.inspector?.inspect()
      expect(facts?.details['atAheadMs']).toBeGreaterThan(hourMs - 60_000)
      await live.commit(commitOf(put('b')))
      const ids = async (at: number) => {
        const pages = await Array.fromAsync(live.asOf(at === NOW_AT ? NOW : { at }))
        return pages.flatMap(({ records }) => records.map(({ id }) => id))
      }
      expect(await ids(NOW_AT)).toEqual(['a', 'b'])
      // The clock of whoever asks may be a little ahead of this one.
      expect(await ids(Date.now() + 1_000)).toEqual(['a', 'b'])
    } finally {
      await live.stop(100)
    }

    const findings = await Array.fromAsync(diagnose(store({ path: file(), autoMigrate: false })))
    expect(findings).toContainEqual(
      expect.objectContaining({
        check: 'journal time',
        state: 'warning',
        repair: expect.stringContaining('NTP'),
      }),
    )
  }),
)

it(
  'a clock that is right is not told',
  inFolder(async ({ store }) => {
    const live = new Live(store(), plainDomain)
    const told: number[] = []
    live.observe({ clock: (aheadMs) => told.push(aheadMs) })
    await live.start()
    await live.commit(commitOf(put('a')))
    expect((await recordsAsOf(live.store, NOW)).records).toHaveLength(1)
    expect((await live.store.inspector?.inspect())?.details['atAheadMs']).toBe(0)
    expect(told).toEqual([])
    await live.stop(100)
  }),
)

const NOW_AT = Number.POSITIVE_INFINITY
