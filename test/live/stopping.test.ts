import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { commitOf, idsOf, put } from '../conformance/build.ts'
import { loadAll } from '../conformance/caller.ts'
import { GrantedTime } from '../support/granted-time.ts'
import { asksOn, until, withLive } from '../support/with-live.ts'

/** What each of these ended with: the outcome, or the code of the error. */
async function endingsOf(works: readonly Promise<{ outcome: string }>[]): Promise<readonly string[]> {
  const settled = await Promise.allSettled(works)
  return settled.map((result) =>
    result.status === 'fulfilled' ? result.value.outcome : `${result.reason.code} ${result.reason.outcome}`,
  )
}

describe('stopping', () => {
  it('L24: stores what waits, and answers it', () =>
    withLive(async ({ live, store }) => {
      const stopped = Promise.withResolvers<void>()
      store.next('commit', { does: 'wait', for: stopped.promise })
      const works = idsOf('r', 30).map((id) => live.commit(commitOf(put(id))))
      await until(() => store.callsOf('commit').length === 1)
      const stopping = live.stop()
      stopped.resolve()
      await stopping
      expect(new Set(await endingsOf(works))).toEqual(new Set(['accepted']))
      expect((await loadAll(store.inner)).records).toHaveLength(30)
      expect(store.closed).toBe(true)
    }))

  it('L24: refuses what comes later, and says that nothing was written', () =>
    withLive(async ({ live, store }) => {
      const refused = Promise.withResolvers<void>()
      store.next('commit', { does: 'wait', for: refused.promise })
      const first = live.commit(commitOf(put('a')))
      const stopping = live.stop()
      const [late] = await endingsOf([live.commit(commitOf(put('b')))])
      expect(late).toBe('COORD_SHUTTING_DOWN not_written')
      refused.resolve()
      expect(await first).toMatchObject({ outcome: 'accepted' })
      await stopping
      expect((await loadAll(store.inner)).records).toHaveLength(1)
    }))

  it('L24: sends what waits through an outage that ends in time', () =>
    withLive(
      async ({ live, store }) => {
        store.always({ does: 'fail', outcome: 'not_written' }, 'commit')
        const works = idsOf('r', 5).map((id) => live.commit(commitOf(put(id))))
        await until(() => live.status.state === 'degraded')
        const stopping = live.stop(3_000)
        store.heal()
        await stopping
        expect(new Set(await endingsOf(works))).toEqual(new Set(['accepted']))
      },
      { options: { commitTimeoutMs: 5_000 } },
    ))

  it('L24: ends in time where the database fails, and answers everything with the word on it', () =>
    withLive(
      async ({ live, store }) => {
        store.always({ does: 'fail', outcome: 'not_written' }, 'commit')
        const endings = endingsOf(idsOf('r', 5).map((id) => live.commit(commitOf(put(id)))))
        await until(() => live.status.state === 'degraded')
        using time = new GrantedTime()
        await live.stop(150)
        expect(time.now).toBeLessThan(400)
        expect(new Set(await endings)).toEqual(new Set(['COORD_STORE_UNAVAILABLE not_written']))
      },
      { options: { commitTimeoutMs: 5_000 } },
    ))

  it('L24: ends in time where the database hangs, whatever hangs in it', () =>
    withLive(
      async ({ live, store }) => {
        store.outage({ does: 'hang' })
        const sent = live.commit(commitOf(put('a')))
        await until(() => store.callsOf('commit').length === 1)
        const waiting = live.commit(commitOf(put('b')))
        // Asked before they end: an error that nobody waits for yet ends the test run.
        const endings = endingsOf([sent, waiting])
        await until(() => live.figures.queueDepth === 2)
        using time = new GrantedTime()
        await live.stop(150)
        expect(time.now).toBeLessThan(400)
        expect(await endings).toEqual(['COORD_STORE_TIMEOUT unknown', 'COORD_STORE_TIMEOUT not_written'])
      },
      { options: { commitTimeoutMs: 5_000 } },
    ))

  it('L24: keeps every commit it acknowledged, however it meets the traffic', async () => {
    for (let round = 0; round < 10; round += 1)
      await withLive(async ({ live, store }) => {
        store.always({ does: 'delay', ms: 1 }, 'commit')
        const acknowledged: string[] = []
        let going = true
        const clients = idsOf('c', 8).map(async (client) => {
          for (let n = 0; going; n += 1) {
            const id = `${client}-${n}`
            try {
              await live.commit(commitOf(put(id)))
              acknowledged.push(id)
            } catch {
              return
            }
          }
        })
        await sleep(round * 3)
        await live.stop()
        going = false
        await Promise.all(clients)
        const stored = new Set((await loadAll(store.inner)).records.map(({ id }) => id))
        expect(acknowledged.filter((id) => !stored.has(id))).toEqual([])
        // Nothing was stored that was not answered either.
        expect(stored.size).toBe(acknowledged.length)
      })
  })

  it('L24: asks nothing of the store afterwards', () =>
    withLive(
      async ({ live, store, another }) => {
        const other = await another()
        await live.commit(commitOf(put('a')))
        await live.stop()
        const calls = store.calls.length
        await asksOn(other, 10)
        expect(store.calls.length).toBe(calls)
      },
      { options: { retentionIntervalMs: 20 } },
    ))

  it('L24: ends those who wait for a revision', () =>
    withLive(
      async ({ live }) => {
        const waiting = live.waitForRevision(5)
        waiting.catch(() => undefined)
        await live.stop()
        await expect(waiting).rejects.toMatchObject({ code: 'COORD_SHUTTING_DOWN' })
      },
      { options: { revisionTimeoutMs: 60_000 } },
    ))

  it.each(['open', 'load'] as const)('L24: ends a start that still waits for %s', (method) =>
    withLive(
      async ({ live, store }) => {
        store.always({ does: 'hang' }, method)
        const starting = live.start()
        await until(() => store.callsOf(method).length === 1)
        const stopping = live.stop(100)
        store.release()
        await stopping
        await starting
        expect(live.loaded).toBe(false)
        expect(store.closed).toBe(true)
      },
      { started: false },
    ),
  )

  it('L24: ends a start that tries again and again', () =>
    withLive(
      async ({ live, store }) => {
        store.outage()
        const starting = live.start()
        await until(() => store.callsOf('open').length > 1)
        await live.stop()
        await starting
        expect(live.loaded).toBe(false)
      },
      { started: false },
    ))

  it('L24: serves nothing that a slow start brings afterwards', () =>
    withLive(
      async ({ live, store, states, another }) => {
        const other = await another({ started: true })
        const [asked, closed] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
        store.next('head', { does: 'wait', for: asked.promise }, { does: 'wait', for: closed.promise })
        // Its last question is under way when the store is closed.
        const starting = live.start()
        asked.resolve()
        await until(() => store.callsOf('head').length === 2)
        await live.stop(10)
        closed.resolve()
        await starting
        const calls = store.calls.length
        await asksOn(other, 10)
        expect(live.loaded).toBe(false)
        expect(states).toEqual(['loading'])
        expect(store.calls.length).toBe(calls)
      },
      { started: false, options: { retentionIntervalMs: 20 } },
    ))
})
