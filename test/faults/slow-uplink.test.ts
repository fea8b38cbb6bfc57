import { expect, it } from 'vitest'
import { PostgresStore } from '../../src/database/postgres/store.ts'
import type { Store } from '../../src/database/store.ts'
import { SupabaseStore } from '../../src/database/supabase/store.ts'
import { commitOf, put } from '../conformance/build.ts'
import { accepted, Caller } from '../conformance/caller.ts'
import { storeOptions } from '../support/backends/postgres.ts'
import { FaultProxy } from '../support/fault-proxy.ts'
import { PostgresServer } from '../support/postgres.ts'
import { SupabaseProject } from '../support/supabase.ts'

/** Sends a batch that takes a second and a half to arrive: nobody at the other end can tell that it is on its way. */
async function sendSlowly(store: Store, proxy: FaultProxy, matching: string): Promise<void> {
  try {
    const caller = new Caller(store, (await store.open()).position)
    accepted(await caller.write(put('first')))
    proxy.add({ matching, fault: { do: 'slow request', bytesPerSecond: 400_000 } })
    const batch = Array.from({ length: 10 }, (_, index) =>
      commitOf(put(`r${index}`, { text: 'x'.repeat(60_000) })),
    )
    const startedAt = performance.now()
    for (const result of await caller.send(...batch)) accepted(result)
    expect(performance.now() - startedAt).toBeGreaterThan(1_200)
  } finally {
    proxy.heal()
    await store.close()
  }
}

it('postgres: a large batch over a slow line is waited for, and not taken for a lost one', async () => {
  await using server = await PostgresServer.start()
  await using proxy = await FaultProxy.start(server.port)
  const { target, ...rest } = storeOptions(server)
  const store = new PostgresStore({
    ...rest,
    watchAfterMs: 300,
    target: { ...target, hosts: [{ host: '127.0.0.1', port: proxy.port }] },
  })
  await sendSlowly(store, proxy, '"commit"')
})

it('supabase: the same through the Data API', async () => {
  await using project = await SupabaseProject.start()
  await using proxy = await FaultProxy.start(project.api.port)
  const store = new SupabaseStore(project.options({ url: proxy.url, watchAfterMs: 300 }))
  await sendSlowly(store, proxy, '_commit')
})
