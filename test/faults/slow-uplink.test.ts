import { expect, it } from 'vitest'
import { PostgresStore } from '../../src/database/postgres/store.ts'
import { commitOf, put } from '../conformance/build.ts'
import { accepted, Caller } from '../conformance/caller.ts'
import { storeOptions } from '../support/backends/postgres.ts'
import { FaultProxy } from '../support/fault-proxy.ts'
import { PostgresServer } from '../support/postgres.ts'

it('postgres: a large batch over a slow line is waited for, and not taken for a lost one', async () => {
  await using server = await PostgresServer.start()
  await using proxy = await FaultProxy.start(server.port)
  const { target, ...rest } = storeOptions(server)
  const store = new PostgresStore({
    ...rest,
    watchAfterMs: 300,
    target: { ...target, hosts: [{ host: '127.0.0.1', port: proxy.port }] },
  })
  try {
    const caller = new Caller(store, (await store.open()).position)
    accepted(await caller.write(put('first')))
    // The server cannot tell that it is being sent something until all of it has arrived: a second and a half.
    proxy.add({ matching: '"commit"', fault: { do: 'slow request', bytesPerSecond: 400_000 } })
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
}, 30_000)
