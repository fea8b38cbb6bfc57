import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { copyStore } from '../../../src/archive/move/copy-store.ts'
import { type CutoverReport, cutover } from '../../../src/archive/move/cutover.ts'
import { type Coordinator, createCoordinator } from '../../../src/coordinator.ts'
import type { Store } from '../../../src/database/store.ts'
import type { JsonObject } from '../../../src/records/canonical-json.ts'
import type { Entry, EntryWrite, Position, StoredRecord } from '../../../src/records/record.ts'
import {
  type Answer,
  type Call,
  CoordinatorClient,
  NoAnswer,
  type Sender,
} from '../../faults/coordinator-client.ts'
import { checkAcknowledged, checkView, type StoredHistory } from '../../faults/stored-history.ts'
import { WriteLoad } from '../../faults/write-load.ts'
import { moving } from './moving.ts'

/** A database that takes part. */
export interface Ground {
  readonly name: string
  /** Whether several programs can use it at the same time. */
  readonly isShared: boolean
  makeStore(): Store
  /** The settings with which a command finds it, if commands are used. */
  readonly env?: Readonly<Record<string, string>>
}

export interface CutoverRunOptions {
  /** The databases, in the order in which each takes the place of the one before. It may come again. */
  readonly path: readonly Ground[]
  /** Writes that must be acknowledged between two cutovers. @default 100 */
  readonly writesBetween?: number
  readonly clients?: number
  /** How a database takes the place of another one, while a copy follows. @default `cutover`, in this process */
  readonly cutOver?: (old: Ground, now: Ground) => Promise<CutoverReport>
}

export interface CutoverRun {
  readonly reports: readonly CutoverReport[]
  /** How long it took from the end of each cutover until a client was told that its write is stored, in milliseconds. */
  readonly flowedAfterMs: readonly number[]
  readonly acknowledged: number
}

/**
 * Lets clients write without a break, each request with the lineage that it knows, while databases take each other's place; and checks
 * afterwards that nothing that was acknowledged is lost, nothing is there twice, and nothing was written that was said not to be.
 */
export async function runCutovers({
  path,
  writesBetween = 100,
  clients = 8,
  cutOver,
}: CutoverRunOptions): Promise<CutoverRun> {
  await using front = new Front()
  const [first, ...others] = path as [Ground, ...Ground[]]
  // Coordinators may be there before there is a copy: they serve an empty database until then.
  for (const ground of new Set(path)) if (ground === first || ground.isShared) await front.start(ground)
  front.use(first)
  const load = new WriteLoad(front, { clients, servicesEach: 4, pauseMs: 10, mayLose: true })
  load.start()
  const reports: CutoverReport[] = []
  const flowedAfterMs: number[] = []
  let old = first
  for (const now of others) {
    await load.reached(load.acknowledged.length + writesBetween)
    reports.push(await front.move(old, now, cutOver))
    flowedAfterMs.push(Math.round(await load.flowsAgain()))
    if (old.isShared) await front.expectFrozen(old)
    old = now
  }
  await load.reached(load.acknowledged.length + writesBetween)
  await load.stop()
  const history = await front.historyOf(old)
  checkAcknowledged(history, load)
  await checkView(front.clientOf(old), history)
  expect(front.lineages.size, 'lineages that clients were shown').toBe(1)
  const pauses = reports.map(({ pauseMs }) => pauseMs)
  console.log(
    `${path.map(({ name }) => name).join(' > ')}: ${load.acknowledged.length} writes acknowledged, ${load.replayed} when they came again; pauses ${pauses.join(', ')} ms; writes flowed after ${flowedAfterMs.join(', ')} ms`,
  )
  return { reports, flowedAfterMs, acknowledged: load.acknowledged.length }
}

/** The whole journal is compared at the end. The defaults are those of a store in memory, because the settings name no database. */
const keepsAll = { JOURNAL_KEEP_HOURS: '720', JOURNAL_KEEP_REVISIONS: '1000000' }

interface Running {
  readonly coordinator: Coordinator
  readonly client: CoordinatorClient
}

/** Sends requests to the coordinators of the database that takes writes, as a load balancer does. */
class Front implements Sender, AsyncDisposable {
  readonly lineages = new Set<string>()
  readonly #running = new Map<Ground, Running>()
  #used: Ground | undefined

  async start(ground: Ground): Promise<void> {
    const coordinator = await createCoordinator({ store: ground.makeStore(), port: 0, env: keepsAll })
    await coordinator.start()
    this.#running.set(ground, { coordinator, client: new CoordinatorClient(coordinator.url) })
  }

  async #stop(ground: Ground): Promise<void> {
    const running = this.#running.get(ground)
    this.#running.delete(ground)
    await running?.coordinator.stop(2_000)
    await running?.client[Symbol.asyncDispose]()
  }

  use(ground: Ground): void {
    this.#used = ground
  }

  clientOf(ground: Ground): CoordinatorClient {
    const running = this.#running.get(ground)
    if (running === undefined) throw new Error(`There is no coordinator on ${ground.name}.`)
    return running.client
  }

  async send(call: Call): Promise<Answer> {
    const [ground] = [this.#used]
    const client = ground && this.#running.get(ground)?.client
    if (client === undefined) {
      await sleep(20)
      throw new NoAnswer('Nobody listens.')
    }
    const [lineage] = this.lineages
    const headers = {
      ...call.headers,
      ...(lineage === undefined ? {} : { 'x-coordinator-lineage': lineage }),
    }
    const answer = await client.send({ ...call, headers })
    if (lineage === undefined) await this.#learn(client)
    return answer
  }

  async #learn(client: CoordinatorClient): Promise<void> {
    this.lineages.add((await client.get('/health')).body.lineage)
  }

  /** Copies while the load goes on where the old database can be shared, and lets the new one take its place. */
  async move(old: Ground, now: Ground, cutOver?: CutoverRunOptions['cutOver']): Promise<CutoverReport> {
    if (!old.isShared) await this.#stop(old)
    await using stores = new Stores()
    const follows = Promise.withResolvers<void>()
    const copied = copyStore({
      ...moving(await stores.open(old), await stores.open(now)),
      follow: old.isShared && now.isShared,
      pollMs: 50,
      onProgress: ({ phase }) => void (phase === 'follow' && follows.resolve()),
    })
    await Promise.race([follows.promise, copied])
    if (!(old.isShared && now.isShared)) await copied
    const own = old.isShared && now.isShared ? new Stores() : stores
    const report = await (cutOver === undefined
      ? cutover(moving(await own.open(old), await own.open(now)))
      : cutOver(old, now))
    expect((await copied).ended).toBe(own === stores ? 'complete' : 'opened')
    await own.close()
    if (!now.isShared) {
      await stores.close()
      await this.start(now)
    }
    // A coordinator that served an empty database before the copy began has to load it first.
    const lineage = async () => (await this.clientOf(now).get('/health')).body.lineage
    await expect.poll(lineage).toBe(report.lineage)
    this.use(now)
    await this.#learn(this.clientOf(now))
    return report
  }

  /** A coordinator that was left on the old database writes nothing, and says so. */
  async expectFrozen(old: Ground): Promise<void> {
    const client = this.clientOf(old)
    const body = { serviceName: 'left-behind', version: '1.0.0', endpoint: 'http://left-behind:8080' }
    const answer = await client.send({ method: 'POST', path: '/register', body })
    expect(answer).toMatchObject({
      status: 503,
      body: { code: 'COORD_STORE_FROZEN', outcome: 'not_written' },
    })
    await expect.poll(async () => (await client.get('/health')).body.status).toBe('frozen')
    expect((await client.get('/health/ready')).status).toBe(200)
    expect((await client.get('/health/ready?for=writes')).status).toBe(503)
  }

  historyOf(ground: Ground): Promise<StoredHistory> {
    const running = this.#running.get(ground)
    if (running === undefined) throw new Error(`There is no coordinator on ${ground.name}.`)
    return readStore(running.coordinator.live.store)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const ground of [...this.#running.keys()]) await this.#stop(ground)
  }
}

class Stores {
  #open = new Map<Ground, Store>()

  async open(ground: Ground): Promise<Store> {
    const store = this.#open.get(ground) ?? ground.makeStore()
    this.#open.set(ground, store)
    await store.open()
    return store
  }

  async close(): Promise<void> {
    const stores = [...this.#open.values()]
    this.#open = new Map()
    for (const store of stores) await store.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/** The whole history of a store whose journal nobody has compacted, as its port tells it. */
async function readStore(store: Store): Promise<StoredHistory> {
  const journal: Entry[] = []
  let position = await positionOf(store, 0)
  for (let more = true; more; ) {
    const reply = await store.changes(position, 1_000)
    if (reply.status !== 'ok') throw new Error(`The store answered ${reply.status}.`)
    journal.push(...reply.entries)
    const { revision, digest } = reply.entries.at(-1) ?? position
    position = { ...position, revision, digest }
    more = reply.more
  }
  const pages = await Array.fromAsync(store.asOf({ revision: position.revision }))
  const parsed = (value: EntryWrite | StoredRecord) =>
    'data' in value ? { ...value, data: JSON.parse(value.data) as JsonObject } : value
  return {
    lineage: position.lineage,
    journal: journal.map(({ writes, ...entry }) => ({ ...entry, writes: writes.map(parsed) })) as never,
    records: pages
      .flatMap(({ records }) => [...records])
      .map((record) => ({
        ...parsed(record),
        createdAt: new Date(record.createdAt).toISOString(),
        updatedAt: new Date(record.updatedAt).toISOString(),
      })) as never,
  }
}

async function positionOf(store: Store, revision: number): Promise<Position> {
  for await (const page of store.asOf({ revision })) return page.position
  throw new Error('The store answered nothing.')
}
