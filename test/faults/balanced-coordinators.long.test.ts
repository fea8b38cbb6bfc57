import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { ask, type Serving, scratchFolder, serving } from '../main/coordinator-process.ts'
import { freePort } from '../support/free-port.ts'
import { itWith } from '../support/it-with.ts'
import { PostgresServer } from '../support/postgres.ts'
import { BalancedLoad, type Seen } from './balanced-load.ts'
import { until } from './fault-run.ts'
import { startHaproxy } from './haproxy-process.ts'
import { readHistory } from './stored-history.ts'

/** How long the database is away. `docs/high-availability.md` has the figures of a whole minute. */
const awaySeconds = Number(process.env['TEST_OUTAGE_SECONDS'] ?? 15)
const services = 10_000

itWith('haproxy')(
  'two coordinators behind HAProxy: no read fails when one is killed or replaced, or while the database is away, and every acknowledged write is stored once',
  async () => {
    await using server = await PostgresServer.start({ config: { fsync: 'on' } })
    await using folder = await scratchFolder()
    const ports = { 3000: await freePort(), 3001: await freePort(), 3002: await freePort() }
    const url = `http://127.0.0.1:${ports[3000]}`
    await using one = await Member.start(ports[3001], server)
    await using two = await Member.start(ports[3002], server)
    await using _haproxy = await startHaproxy('deploy/high-availability/coordinators.cfg', ports, folder.path)
    const serviceId = await registerMany(url)
    await using load = new BalancedLoad(url, serviceId)
    const rows: string[] = []
    const episode = async (title: string, body: () => Promise<string | undefined>) => {
      await flowing(load)
      load.takeSeen()
      const note = await body()
      const seen = load.takeSeen()
      rows.push(rowOf([title, note].filter(Boolean).join('; '), seen))
      return seen
    }

    const quiet = await episode('nothing', () => sleep(5_000))
    expect([...quiet.failedReads, ...quiet.failedTries]).toEqual([])

    const killed = await episode('kill -9 of a coordinator', async () => {
      await one.stop('SIGKILL')
      await sleep(5_000)
      return undefined
    })
    expect([...killed.failedReads]).toEqual([])

    const restarted = await episode('it starts again', async () => {
      const ms = await one.start()
      await sleep(5_000)
      return `ready after ${ms} ms, with ${services} services`
    })
    expect([...restarted.failedReads, ...restarted.failedTries]).toEqual([])

    const replaced = await episode('SIGTERM to a coordinator, and its next start', async () => {
      await two.stop('SIGTERM')
      await two.start()
      await sleep(3_000)
      return undefined
    })
    expect([...replaced.failedReads]).toEqual([])

    const hung = await episode('a coordinator that hangs for 10 s (SIGSTOP)', async () => {
      one.signal('SIGSTOP')
      await sleep(10_000)
      one.signal('SIGCONT')
      return undefined
    })
    expect([...hung.failedReads]).toEqual([])

    const away = await episode(`the database is away for ${awaySeconds} s`, async () => {
      await server.kill()
      await sleep(awaySeconds * 1_000)
      // The answer of the coordinator, and not one of HAProxy, also after HAProxy has tried it twice.
      const past = await ask(`${url}/services?asOf=1`)
      expect(past).toMatchObject({ status: 503, body: { code: 'COORD_STORE_UNAVAILABLE' } })
      expect(past.headers.get('retry-after')).toMatch(/^\d+$/)
      await server.start()
      const startedAt = performance.now()
      await flowing(load)
      return `writes ${Math.round(performance.now() - startedAt)} ms after its start`
    })
    expect([...away.failedReads]).toEqual([])
    expect(away.reads).toBeGreaterThan(awaySeconds * 50)
    // With an outcome each: the answers are those of a coordinator, not of HAProxy.
    for (const [failure] of away.failedTries) expect(failure).toMatch(/^503 COORD_\w+ (unknown|not_written)$/)

    await flowing(load)
    await until('the stream has all', async () => {
      const newest = Math.max(...load.acknowledged.values())
      return (load.streamed.at(-1) ?? 0) >= newest
    })
    await load[Symbol.asyncDispose]()
    console.log(rows.join('\n'))
    const { journal } = await readHistory(server)
    const stored = new Map<string, number[]>()
    for (const { revision, writes } of journal)
      for (const { data } of writes) {
        const name = String(data?.['serviceName'])
        stored.set(name, [...(stored.get(name) ?? []), revision])
      }
    for (const [name, revision] of load.acknowledged)
      expect([name, stored.get(name)]).toEqual([name, [revision]])
    expect(load.streamed).toEqual(journal.slice(0, load.streamed.length).map(({ revision }) => revision))
  },
  300_000,
)

/** A coordinator at an address of its own, at which it also comes back. */
class Member implements AsyncDisposable {
  readonly #env: Record<string, string>
  #serving: Serving | undefined

  private constructor(port: number, server: PostgresServer) {
    this.#env = { PORT: String(port), DATABASE_URL: server.url(), AUTH: 'off' }
  }

  static async start(port: number, server: PostgresServer): Promise<Member> {
    const member = new Member(port, server)
    await member.start()
    return member
  }

  /** @returns how long it took until it served, in milliseconds */
  async start(): Promise<number> {
    const startedAt = performance.now()
    this.#serving = await serving({ env: this.#env })
    return Math.round(performance.now() - startedAt)
  }

  async stop(signal: NodeJS.Signals): Promise<void> {
    await this.#serving?.stop(signal)
  }

  signal(signal: NodeJS.Signals): void {
    this.#serving?.process.kill(signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.signal('SIGCONT')
    await this.#serving?.[Symbol.asyncDispose]()
  }
}

/** @returns the id of one of them */
async function registerMany(url: string): Promise<string> {
  let serviceId = ''
  for (let first = 0; first < services; first += 500) {
    const items = Array.from({ length: 500 }, (_, index) => {
      const serviceName = `loaded-${first + index}`
      return { serviceName, version: '1.0.0', endpoint: `http://${serviceName}:8080` }
    })
    const { status, body } = await ask(`${url}/register/batch`, 'POST', items)
    expect(status).toBe(200)
    serviceId = body.results[0].serviceId
  }
  return serviceId
}

/** Waits until a write that begins now is acknowledged. */
async function flowing(load: BalancedLoad): Promise<void> {
  const { size } = load.acknowledged
  // One more than there are writers: at least one of them began after this moment.
  await until('writes flow', async () => load.acknowledged.size > size + 8, 120_000)
}

function rowOf(title: string, seen: Seen): string {
  const { reads, failedReads, slowestReadMs, writes, failedTries, slowestWriteMs, streamEnds } = seen
  const list = (counts: ReadonlyMap<string, number>) =>
    [...counts].map(([what, times]) => `${times} x ${what}`).join(', ') || 'none'
  return [
    title,
    `${reads} reads, failed: ${list(failedReads)}, slowest ${Math.round(slowestReadMs)} ms`,
    `${writes} writes, failed tries: ${list(failedTries)}, slowest ${Math.round(slowestWriteMs)} ms`,
    `stream ended ${streamEnds} times`,
  ].join(' | ')
}
