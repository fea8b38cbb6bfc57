import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { canonicalJson } from '../../src/records/canonical-json.ts'
import { serviceIdOf } from '../../src/records/service/identity.ts'
import { type Serving, serving } from '../main/coordinator-process.ts'
import { SupabaseProject } from '../support/supabase.ts'
import { CoordinatorClient } from './coordinator-client.ts'
import { settled, until } from './fault-run.ts'
import { checkView, readHistory } from './stored-history.ts'
import { WriteLoad } from './write-load.ts'

const byHand = 200
const rounds = 6

interface Side {
  readonly name: string
  readonly client: CoordinatorClient
  /** How long a change by hand may take to be seen here, in milliseconds. */
  readonly limitMs: number
}

describe('changes by hand under load', () => {
  let project: SupabaseProject
  let running: readonly Serving[]
  let wire: CoordinatorClient
  let api: CoordinatorClient
  let sides: readonly Side[]

  beforeAll(async () => {
    project = await SupabaseProject.start({ config: { fsync: 'on', log_lock_waits: 'on' } })
    const byApi = { SUPABASE_URL: project.api.url, SUPABASE_SECRET_KEY: project.keys.secretKey }
    running = await Promise.all(
      [{ DATABASE_URL: project.server.url() }, byApi].map((env) => serving({ env })),
    )
    const [first, second] = running.map(({ url }) => new CoordinatorClient(url))
    wire = first as CoordinatorClient
    api = second as CoordinatorClient
    sides = [
      { name: 'by wire', client: wire, limitMs: 1_000 },
      { name: 'through the Data API', client: api, limitMs: 3_000 },
    ]
  })
  afterAll(async () => {
    await Promise.all([wire, api].map((client) => client[Symbol.asyncDispose]()))
    await Promise.all(running.map((each) => each[Symbol.asyncDispose]()))
    await project.dispose()
  })

  /** Runs SQL by hand, and answers how long after its commit each side showed what is expected. */
  async function seen(sql: string, shows: (client: CoordinatorClient) => Promise<boolean>) {
    await project.server.query(sql)
    const committed = performance.now()
    return Promise.all(
      sides.map(async ({ name, client, limitMs }) => {
        await until(`${name}: ${sql.slice(0, 60)}`, () => shows(client))
        const ms = Math.round(performance.now() - committed)
        expect(ms, name).toBeLessThan(limitMs)
        return ms
      }),
    )
  }

  /** Whether all services by hand are there, with this description. */
  const handmade = (count: number, description?: string) => async (client: CoordinatorClient) => {
    const { body } = await client.get('/services?tag=handmade&limit=1000')
    const right = body.services.filter(
      (service: { description?: string }) => service.description === description,
    )
    return body.total === count && right.length === count
  }

  it('are seen by wire within 1 second and through the Data API within 3, many in one statement, without deadlock', async () => {
    const loads = [wire, api].map(
      (client) => new WriteLoad(client, { clients: 12, servicesEach: 8, pauseMs: 20 }),
    )
    // Each load has services of its own names: the second one writes those of the first as a rival would.
    const [load, rival] = loads as [WriteLoad, WriteLoad]
    load.start()
    const rivalry = compete(rival, api)
    const times: number[][] = []
    for (let round = 0; round < rounds; round += 1) {
      const before = load.acknowledged.length
      times.push(await seen(insertion(round), handmade(byHand)))
      times.push(
        await seen(
          `update coordinator.records set data = data || '{"description": "changed ${round}"}'
           where kind = 'service' and data -> 'tags' ? 'handmade'`,
          handmade(byHand, `changed ${round}`),
        ),
      )
      // Rows that coordinators write at this moment are touched too, in another order than theirs.
      await project.server.query(
        `update coordinator.records set data = data || '{"description": "touched ${round}"}'
         where kind = 'service' and not data -> 'tags' ? 'handmade'`,
      )
      times.push(
        await seen(
          `delete from coordinator.records where kind = 'service' and data -> 'tags' ? 'handmade'`,
          handmade(0),
        ),
      )
      await load.reached(before + 200)
    }
    await load.stop()
    const contested = await rivalry.stop()
    const [facts] = await project.server.query<{ deadlocks: number }>(
      `select deadlocks::integer from pg_stat_database where datname = 'postgres'`,
    )
    console.log(
      `${load.acknowledged.length} and ${contested} writes beside ${rounds * 4} statements by hand; seen by wire after ${times.map(([ms]) => ms).join(', ')} ms, through the Data API after ${times.map(([, ms]) => ms).join(', ')} ms`,
    )
    expect(facts?.deadlocks).toBe(0)
    expect(project.server.log).not.toContain('deadlock detected')
    await expectEqual()
  }, 120_000)

  it('are seen as soon where nothing else happens, and coordinators ask seldom', async () => {
    const times: number[][] = []
    for (let round = 0; round < 4; round += 1) {
      // Longer than it takes until the pauses between two questions have grown to their longest, and at any point of one.
      await sleep(5_000 + Math.random() * 2_000)
      times.push(
        await seen(insertion(0), handmade(byHand)),
        await seen(`delete from coordinator.records where data -> 'tags' ? 'handmade'`, handmade(0)),
      )
    }
    console.log(`at rest: by wire and through the Data API after ${times.join(' - ')} ms`)
    await expectEqual()
  }, 60_000)

  it('that break the rules of their kind are listed, not served, and stop nothing', async () => {
    await project.server.query(
      `insert into coordinator.records (kind, id, data) values
         ('service', 'no-name', '{"version": 5}'),
         ('node', 'no-node', '{"what": ["is", "this"]}'),
         ('of-another-program', 'x', '{"anything": true}')`,
    )
    for (const { client } of sides) {
      const { body } = await client.send({
        method: 'POST',
        path: '/register',
        body: { serviceName: 'goes-on', version: '1.0.0', endpoint: 'http://goes-on:1' },
      })
      expect(body.success).toBe(true)
      await client.get(`/services?minRevision=${body.revision}`)
      const listed = (await client.get('/database')).body.refusedRecords
      expect(listed.map(({ id }: { id: string }) => id).sort()).toEqual(['no-name', 'no-node'])
      expect((await client.get('/services/no-name')).status).toBe(404)
      expect((await client.get('/services')).text).not.toContain('no-name')
      await settled(client)
    }
    // Mended by hand, it is served.
    const mended = { ...base('mended'), ...stored }
    const serviceId = serviceIdOf(mended)
    await seen(
      `update coordinator.records set id = '${serviceId}', data = '${canonicalJson(mended)}' where id = 'no-name';
       delete from coordinator.records where id = 'no-node'`,
      async (client) => (await client.get(`/services/${serviceId}`)).status === 200,
    )
    for (const { client } of sides) expect((await client.get('/database')).body.refusedRecords).toEqual([])
    await expectEqual()
  }, 60_000)

  it('are waited for by minRevision, and asked for by consistency=latest, across coordinators', async () => {
    for (let round = 0; round < 20; round += 1) {
      const [here, there] = round % 2 === 0 ? [wire, api] : [api, wire]
      const { body } = await here.send({
        method: 'POST',
        path: '/register',
        body: { ...base('asked'), description: `round ${round}` },
      })
      const path = `/services/${body.serviceId}`
      const waited = round % 4 < 2
      const answer = await there.get(
        waited ? `${path}?minRevision=${body.revision}` : `${path}?consistency=latest`,
      )
      expect(answer.body.service).toMatchObject({ description: `round ${round}`, revision: body.revision })
      await project.server.query(
        `update coordinator.records set data = data || '{"description": "hand ${round}"}' where id = '${body.serviceId}'`,
      )
      for (const { client } of sides)
        expect((await client.get(`${path}?consistency=latest`)).body.service.description).toBe(
          `hand ${round}`,
        )
    }
    // A revision that never comes is waited for 3 seconds, and no longer.
    const startedAt = performance.now()
    expect(await wire.get('/services?minRevision=999999999')).toMatchObject({
      status: 504,
      body: { code: 'COORD_REVISION_WAIT_TIMEOUT' },
    })
    expect(performance.now() - startedAt).toBeGreaterThan(2_900)
  }, 60_000)

  /** Both views are what the database holds, byte for byte. */
  async function expectEqual(): Promise<void> {
    const history = await readHistory(project.server)
    expect(await checkView(wire, history)).toBe(await checkView(api, history))
  }
})

function base(name: string) {
  return { serviceName: name, version: '1.0.0', endpoint: `http://${name}:8080/` }
}

/** What the coordinator fills in where a registration leaves it out. */
const stored = { healthCheck: '/health', metadata: {}, tags: ['mended'], capabilities: [], dependencies: [] }

function insertion(round: number): string {
  const rows = Array.from({ length: byHand }, (_, index) => {
    const service = { ...base(`handmade-${round}-${index}`), ...stored, tags: ['handmade'] }
    return `('service', '${serviceIdOf(service)}', '${canonicalJson(service)}')`
  })
  return `insert into coordinator.records (kind, id, data) values ${rows.join(', ')}`
}

/** Registers the services of a load over and over, without any condition, until it is stopped. */
function compete({ services }: WriteLoad, client: CoordinatorClient) {
  let over = false
  let count = 0
  const running = Promise.all(
    services.map(async (own) => {
      for (let turn = 0; !over; turn += 1) {
        const service = own[turn % own.length]
        const body = { ...service?.registration(-turn), description: 'a rival' }
        const { status, text } = await client.send({ method: 'POST', path: '/register', body })
        // Whoever loses five times in a row is told to come again.
        const contended = status === 503 && text.includes('COORD_COMMIT_CONTENDED')
        if (status !== 200 && status !== 201 && !contended)
          throw new Error(`A write was answered with ${status}: ${text}`)
        count += 1
        await sleep(Math.random() * 40)
      }
    }),
  )
  running.catch(() => undefined)
  return {
    async stop(): Promise<number> {
      over = true
      await running
      return count
    },
  }
}
