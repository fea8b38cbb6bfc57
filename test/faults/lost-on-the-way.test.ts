import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SupabaseStore } from '../../src/database/supabase/store.ts'
import { commitOf, put } from '../conformance/build.ts'
import { accepted, Caller } from '../conformance/caller.ts'
import { FaultProxy } from '../support/fault-proxy.ts'
import { SupabaseProject } from '../support/supabase.ts'

describe('supabase: a commit that is silent', () => {
  let project: SupabaseProject
  beforeAll(async () => {
    project = await SupabaseProject.start()
  })
  afterAll(() => project.dispose())

  /** Runs `body` with a store whose line to the Data API goes through a proxy. */
  async function withStore(body: (proxy: FaultProxy, caller: Caller) => Promise<void>): Promise<void> {
    await using proxy = await FaultProxy.start(project.api.port)
    const store = new SupabaseStore(project.options({ url: proxy.url, watchAfterMs: 300 }))
    try {
      await body(proxy, new Caller(store, (await store.open()).position))
    } finally {
      await store.close()
    }
  }

  it('because it got lost is given up long before the deadline, and stored when it comes again', () =>
    withStore(async (proxy, caller) => {
      const commit = commitOf(put('lost'))
      proxy.add({ matching: '_commit', times: 1, fault: { do: 'hang' } })
      const startedAt = performance.now()
      await expect(caller.send(commit)).rejects.toMatchObject({
        code: 'COORD_STORE_TIMEOUT',
        outcome: 'unknown',
        retryable: true,
        detail: expect.stringContaining('lost'),
      })
      const waitedMs = performance.now() - startedAt
      // Not before it was looked for, which is after 300 ms.
      expect(waitedMs).toBeGreaterThan(300)
      expect(waitedMs).toBeLessThan(5_000)
      expect(accepted((await caller.send(commit))[0])).toMatchObject({ replayed: false })
    }))

  it('is given up too where every connection is half-open', () =>
    withStore(async (proxy, caller) => {
      accepted(await caller.write(put('before')))
      // As many connections as reading may have, all of which lead nowhere from then on.
      const { store } = caller
      await Promise.all([store.head(), store.head(), store.head()])
      proxy.strand()
      const following = store.changes(caller.position, 10)
      const startedAt = performance.now()
      await expect(caller.write(put('after'))).rejects.toMatchObject({ outcome: 'unknown' })
      // A third of a second, and two questions over new connections; over those that are there each waits for a second.
      expect(performance.now() - startedAt).toBeLessThan(2_500)
      await expect(following).rejects.toMatchObject({ code: 'COORD_STORE_TIMEOUT', retryable: true })
      accepted(await caller.write(put('after')))
      // Over the old connections each of them would take 10 s.
      await Promise.all([store.head(), store.head(), store.head()])
      expect(performance.now() - startedAt).toBeLessThan(5_000)
    }))

  it('because somebody else holds the head is waited for', () =>
    withStore(async (_proxy, caller) => {
      const hand = await project.server.leaveOpen(
        `insert into coordinator.records (kind, id, data) values ('x', 'hand', '{}')`,
      )
      const startedAt = performance.now()
      const released = sleep(2_000).then(() => hand[Symbol.asyncDispose]())
      const written = await caller.write(put('patient'))
      expect(performance.now() - startedAt).toBeGreaterThan(1_900)
      await released
      // Once: it was not given up and sent again.
      expect(accepted(written)).toMatchObject({ replayed: false })
    }))

  it('because its answer trickles in is waited for', () =>
    withStore(async (proxy, caller) => {
      const behind = new Caller(caller.store, caller.position)
      const text = 'x'.repeat(500)
      await caller.send(...Array.from({ length: 50 }, (_, index) => commitOf(put(`r${index}`, { text }))))
      proxy.add({ matching: '_commit', times: 1, fault: { do: 'slow reply', bytesPerSecond: 25_000 } })
      const startedAt = performance.now()
      accepted(await behind.write(put('slow')))
      expect(performance.now() - startedAt).toBeGreaterThan(800)
    }))
})
