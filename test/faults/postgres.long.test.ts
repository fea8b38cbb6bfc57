import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { FaultProxy } from '../support/fault-proxy.ts'
import { PostgresServer } from '../support/postgres.ts'
import { damageOn, runFaults, times } from './fault-run.ts'

const kills = 20
const commit = '"commit"'

it(`postgres: cuts, half-open and refused connections, a server that hangs, and ${kills} kills cost no acknowledged write and no read`, async () => {
  await using server = await PostgresServer.start({ config: { fsync: 'on' } })
  await using proxy = await FaultProxy.start(server.port)
  const env = {
    DATABASE_URL: server.url().replace(String(server.port), String(proxy.port)),
    // Shorter than the longest outages, so that clients meet 503 too.
    COMMIT_TIMEOUT_MS: '1500',
  }
  const run = await runFaults({ env, database: () => server }, async ({ back, load }) => {
    const damage = damageOn(proxy, back)
    await damage(40, { matching: commit, fault: { do: 'lose reply' } })
    await damage(10, { matching: commit, fault: { do: 'cut reply', afterBytes: 120 } })
    await damage(10, { matching: commit, fault: { do: 'cut request' } })
    await damage(10, { matching: '"changes"', fault: { do: 'cut reply', afterBytes: 60 } })
    await times(10, 100, () => proxy.cut())
    await back('all connections cut')
    await damage(2, { matching: commit, fault: { do: 'hang' } })
    await damage(1, { matching: '"changes"', fault: { do: 'hang' } })
    await times(2, 200, async () => {
      proxy.strand()
      // What had arrived before it.
      await sleep(50)
      await back('every connection half-open')
    })
    for (const ms of [300, 1_000, 3_000]) {
      await proxy.refuse()
      await sleep(ms)
      await proxy.listen()
      await back('refused')
    }
    for (const ms of [500, 2_500]) {
      server.freeze()
      await sleep(ms)
      server.resume()
      await back('a server that hung')
    }
    await server.stop()
    await server.start()
    await back('a restart in order')
    await times(3, 200, async () => {
      await server.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'coordinator'`,
      )
      await back('every session ended')
    })
    await server.query(
      `begin; insert into coordinator.records (kind, id, data) values ('x', 'y', '{}'); select pg_sleep(0.5); rollback`,
    )
    await back('a transaction by hand that held the head')
    await times(kills, 100, async () => {
      const before = load.acknowledged.length
      await server.kill()
      await sleep(Math.random() * 500)
      await server.start()
      await back('kill -9')
      await load.reached(before + 50)
    })
  })
  expect(proxy.faults).toBeGreaterThanOrEqual(70)
  for (const kind of [
    'kill -9',
    'refused',
    'a server that hung',
    'a restart in order',
    'every session ended',
    'a transaction by hand that held the head',
  ])
    for (const ms of run.recoveries.get(kind) ?? []) expect(ms, kind).toBeLessThan(2_000)
  // Nobody tells about these: a second of silence passes before anybody looks, and two more where the way to look is dead too.
  for (const kind of ['hang', 'every connection half-open'])
    for (const ms of run.recoveries.get(kind) ?? []) expect(ms, kind).toBeLessThan(5_000)
}, 240_000)
