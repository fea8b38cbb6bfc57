import { describe, expect, it, vi } from 'vitest'
import { ask, runCoordinator, type Serving, scratchFolder, serving } from '../main/coordinator-process.ts'
import { PostgresServer } from '../support/postgres.ts'
import { fatRegistration, largeRegistration } from './large-registration.ts'
import { writeMany } from './write-many.ts'

// Hundreds of registrations of 260 KiB, each of which takes some milliseconds of a machine that others use too.
vi.setConfig({ testTimeout: 120_000 })

// The least sensible heap has 96 MiB: the program takes some 20 to 28 of it, and 16 are for work at hand.
const heapOf = (mebibytes: number) => [`--max-old-space-size=${mebibytes}`]

async function stateOf({ url }: Serving) {
  const [health, database] = [await ask(`${url}/health`), await ask(`${url}/database`)]
  return { health: health.body, database: database.body }
}

describe('full before dead', () => {
  it('in memory: one service is rewritten for ever, because old history is forgotten', async () => {
    await using coordinator = await serving({ nodeArgs: heapOf(96) })
    const large = await writeMany(coordinator.url, (n) => largeRegistration('big', n), {
      count: 8,
      atOnce: 2,
    })
    expect([...large.keys()].sort()).toEqual([200, 201])
    // 52 MB of texts, of which a quarter of the heap is kept.
    const fat = await writeMany(coordinator.url, (n) => fatRegistration('fat', n), { count: 200, atOnce: 4 })
    expect([...fat.keys()].sort()).toEqual([200, 201])
    const { health, database } = await stateOf(coordinator)
    expect(health).toMatchObject({ status: 'ok', memory: { state: 'free', limitMiB: 96 }, revision: 208 })
    expect(database.historyMiB).toBeLessThanOrEqual(24)
    expect(database.floorRevision).toBeGreaterThan(90)
    const past = (revision: number) => ask(`${coordinator.url}/services?asOf=${revision}&fields=serviceName`)
    expect(await past(database.floorRevision)).toMatchObject({ status: 200 })
    expect(await past(database.floorRevision - 1)).toMatchObject({
      status: 410,
      body: { code: 'COORD_REVISION_COMPACTED' },
    })
  })

  it('SQLite: registrations are refused when the memory is full, the rest goes on, and it starts again', async () => {
    await using folder = await scratchFolder()
    const env = { DATABASE_URL: `sqlite:${folder.path}/coordinator.db` }
    let registered: number
    {
      await using full = await serving({ env, nodeArgs: heapOf(96) })
      const statuses = await writeMany(full.url, (n) => fatRegistration(`s${n}`), {
        count: 300,
        atOnce: 1,
        until: 507,
      })
      expect([...statuses.keys()].sort()).toEqual([201, 507])
      registered = statuses.get(201) as number
      expect((await stateOf(full)).health.memory.state).toBe('full')
      const register = (name: string) => ask(`${full.url}/register`, 'POST', fatRegistration(name))
      expect(await register('one-more')).toMatchObject({
        status: 507,
        body: { code: 'COORD_MEMORY_FULL', outcome: 'not_written', retryable: true },
      })
      // A service that starts again says what it had said before.
      const known = await register('s0')
      expect(known).toMatchObject({ status: 200, body: { changed: false } })
      const service = `${full.url}/services/${known.body.serviceId}`
      expect((await ask(service)).status).toBe(200)
      expect((await ask(`${full.url}/health/ready`)).status).toBe(200)
      expect((await ask(`${full.url}/health/ready?for=writes`)).body.code).toBe('COORD_MEMORY_FULL')
      expect(await ask(service, 'DELETE')).toMatchObject({ status: 200 })
      const metrics = (await ask(`${full.url}/metrics`)).body as string
      expect(metrics).toContain('coordinator_memory_state{state="full"} 1')
      expect(metrics).toMatch(/coordinator_memory_refused_commits_total [1-9]/)
      const ended = await full.stop()
      expect(ended.stdout.match(/the memory is nearly full/g)).toHaveLength(1)
    }
    {
      await using again = await serving({ env, nodeArgs: heapOf(96) })
      expect((await stateOf(again)).health.registeredServices).toBe(registered - 1)
    }
    const { code, stderr } = await runCoordinator(['serve'], {
      env: { ...env, PORT: '0' },
      timeoutMs: 100_000,
      nodeArgs: heapOf(64),
    })
    expect(code).toBe(78)
    const [, records, heap] =
      /^coordinator: The database holds (\d+) records, of which \d+ fit into a heap of 64 MiB; all of them need about (\d+) MiB\. Start the coordinator with `NODE_OPTIONS=--max-old-space-size=\2`\. \[COORD_MEMORY_EXCEEDED\]\n$/.exec(
        stderr,
      ) ?? []
    expect(Number(records)).toBe(registered - 1)
    await using advised = await serving({ env, nodeArgs: heapOf(Number(heap)) })
    expect((await stateOf(advised)).health.memory.state).toBe('free')
  })

  it('a heap that is too small for the program itself ends the start with that answer', async () => {
    const { code, stdout, stderr } = await runCoordinator(['serve'], {
      env: { PORT: '0' },
      nodeArgs: heapOf(32),
    })
    expect(code).toBe(78)
    expect(stdout).toContain('the heap is too small for more than a few records')
    expect(stderr).toMatch(
      /^coordinator: The coordinator itself takes \d+ MiB, which leaves no room for records in a heap of 32 MiB\. Start the coordinator with `NODE_OPTIONS=--max-old-space-size=128` or more\. \[COORD_MEMORY_EXCEEDED\]\n$/,
    )
  })

  it('PostgreSQL: what others write ends where the memory does; it is told, and reads go on', async () => {
    await using postgres = await PostgresServer.start()
    const env = { DATABASE_URL: postgres.url() }
    await using large = await serving({ env })
    await using small = await serving({ env, nodeArgs: heapOf(64) })
    const known = await ask(`${large.url}/register`, 'POST', fatRegistration('known'))
    const writing = writeMany(large.url, (n) => fatRegistration(`s${n}`), { count: 200, atOnce: 4 })
    await expect
      .poll(async () => (await stateOf(small)).health.storage, { timeout: 100_000 })
      .toMatchObject({ status: 'degraded', code: 'COORD_MEMORY_EXCEEDED' })
    expect([...(await writing).keys()]).toEqual([201])
    await expect
      .poll(async () => (await stateOf(small)).database)
      .toMatchObject({ headRevision: 201, memory: { state: 'exhausted' } })
    const read = await ask(`${small.url}/services/${known.body.serviceId}`)
    expect(read.status).toBe(200)
    expect(read.headers.get('x-coordinator-degraded')).toBeTruthy()
    expect(Number(read.headers.get('age'))).toBeGreaterThanOrEqual(0)
    expect((await ask(`${small.url}/health/ready`)).body.code).toBe('COORD_MEMORY_EXCEEDED')
    // It does not know what came since, and so cannot show that anything was deleted.
    expect(await ask(`${small.url}/services/${known.body.serviceId}`, 'DELETE')).toMatchObject({
      status: 507,
      body: { code: 'COORD_MEMORY_FULL', outcome: 'not_written' },
    })
  })

  it('PostgreSQL: a view that must be built anew makes room for itself, where both do not fit', async () => {
    await using postgres = await PostgresServer.start()
    const env = { DATABASE_URL: postgres.url() }
    await using coordinator = await serving({ env, nodeArgs: heapOf(96) })
    expect([
      ...(
        await writeMany(coordinator.url, (n) => fatRegistration(`s${n}`), { count: 120, atOnce: 2 })
      ).keys(),
    ]).toEqual([201])
    const { lineage } = (await stateOf(coordinator)).health
    expect((await runCoordinator(['restored'], { env })).code).toBe(0)
    await coordinator.process.wrote(/nothing is served until the new live view is built/)
    await coordinator.process.wrote(/the live view was loaded again/)
    const { health } = await stateOf(coordinator)
    expect(health).toMatchObject({ status: 'ok', registeredServices: 120 })
    expect(health.lineage).not.toBe(lineage)
  })
})
