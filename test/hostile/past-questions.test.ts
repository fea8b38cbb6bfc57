import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask, registration, type Serving, serving } from '../main/coordinator-process.ts'
import { dearness } from '../support/dearness.ts'
import { GrantedTime } from '../support/granted-time.ts'
import { PostgresServer } from '../support/postgres.ts'
import { abandonMany } from './abandoned.ts'
import { ProcessFigures } from './process-figures.ts'

const services = 20_000
/** What a well-behaved client waits at most, in milliseconds. */
const longestMs = 500
/** How long the coordinator may work on questions after the last of their clients has left, in milliseconds. */
const endMs = 1_000
/** The others come from another address, as they would. */
const stranger = '127.0.0.2'

describe('questions about the past that are abandoned', () => {
  let server: PostgresServer
  let coordinator: Serving
  let other: Serving
  let serviceId: string
  let newest = 0

  beforeAll(async () => {
    server = await PostgresServer.start()
    const env = { DATABASE_URL: server.url(), DATABASE_SCHEMA: 'past' }
    coordinator = await serving({ env })
    other = await serving({ env })
    for (let from = 0; from < services; from += 1_000) {
      const batch = Array.from({ length: 1_000 }, (_, at) => registration(`s-${from + at}`))
      const { body } = await ask(`${coordinator.url}/register/batch`, 'POST', batch)
      expect(body).toMatchObject({ failed: 0 })
      serviceId = body.results[0].serviceId
    }
  }, 120_000)
  afterAll(async () => {
    time[Symbol.dispose]()
    await coordinator[Symbol.asyncDispose]()
    await other[Symbol.asyncDispose]()
    await server.dispose()
  })

  const time = new GrantedTime()

  it.each([
    ['1,000 that look for what is not in the journal', 1_000, '/changes?after=0&limit=1&name=nobody'],
    ['1,000 from moments that nobody shares', 1_000, undefined],
    ['200 lists of a moment', 200, '/services?asOf=19000'],
  ])('%s end with their clients, and keep nobody waiting', async (_, count, path) => {
    const strangers = abandonMany(count, (number) => ({
      url: `${coordinator.url}${path ?? `/changes?after=${number}&limit=1&name=nobody`}`,
      from: stranger,
      stayMs: path?.includes('asOf') ? 200 : 20,
    }))
    let gone = false
    const leaving = strangers.finally(() => {
      gone = true
    })
    const waits: number[] = []
    while (!gone) waits.push(...(await wellBehaved()))
    await leaving
    // What counts is what is still worked on when they have left, on a machine that may have little time for it.
    const figures = new ProcessFigures(coordinator.process.child.pid as number)
    const before = figures.cpuMs
    await expect.poll(readsOfThePast).toBe(0)
    expect(figures.cpuMs - before).toBeLessThan(endMs)
    expect((await ask(`${coordinator.url}/health`)).body.storage.status).toBe('ready')
    expect(Math.max(...waits)).toBeLessThan(longestMs * dearness())
    // A second later nothing is asked any more but what the coordinator asks for itself.
    const calls = await databaseCalls()
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    expect((await databaseCalls()) - calls).toBeLessThan(20)
  })

  /** How long a client waits that wants the newest, a history, a moment, and what somebody else has just written. */
  async function wellBehaved(): Promise<number[]> {
    const waits: number[] = []
    for (const path of [
      `/services/${serviceId}?consistency=latest`,
      `/services/${serviceId}/history`,
      `/services/${serviceId}?asOf=20000`,
    ]) {
      const started = time.now
      expect((await ask(`${coordinator.url}${path}`)).status).toBe(200)
      waits.push(time.now - started)
    }
    const { body } = await ask(`${other.url}/register`, 'POST', registration(`new-${newest++}`))
    const started = time.now
    const seen = await ask(`${coordinator.url}/services/${body.serviceId}?minRevision=${body.revision}`)
    expect(seen.status).toBe(200)
    expect(time.now - started).toBeLessThan(1_000)
    return waits
  }

  async function metrics(): Promise<ReadonlyMap<string, number>> {
    const { body } = await ask(`${coordinator.url}/metrics`)
    const lines = (body as string).split('\n').filter((line) => line !== '' && !line.startsWith('#'))
    return new Map(
      lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
    )
  }

  /** How many reads of the past are under way, or wait. */
  async function readsOfThePast(): Promise<number> {
    const figures = await metrics()
    const states = ['under_way', 'waiting'].map(
      (state) => figures.get(`coordinator_past_reads_${state}`) ?? 0,
    )
    return states.reduce((sum, count) => sum + count)
  }

  /** How often the database was asked for a part of the journal, or for the past. */
  async function databaseCalls(): Promise<number> {
    const asked = /^coordinator_database_queries_total\{.*operation="(?:changes|as_of|history)"/
    return [...(await metrics())].reduce((sum, [name, value]) => (asked.test(name) ? sum + value : sum), 0)
  }
})
