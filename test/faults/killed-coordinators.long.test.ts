import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { type Env, type Serving, serving } from '../main/coordinator-process.ts'
import { FaultProxy } from '../support/fault-proxy.ts'
import { freePort } from '../support/free-port.ts'
import { PostgresServer } from '../support/postgres.ts'
import { type Answer, type Call, CoordinatorClient, type Sender } from './coordinator-client.ts'
import { metric, settled } from './fault-run.ts'
import { checkAcknowledged, checkView, readHistory } from './stored-history.ts'
import { WriteLoad } from './write-load.ts'

const rounds = 16

it(`two coordinators: ${rounds} kills of one or the other, between them kills of PostgreSQL and cuts, with clients that go to the other one, cost no acknowledged write and double none`, async () => {
  await using server = await PostgresServer.start({ config: { fsync: 'on' } })
  await using left = await Member.start(server)
  await using right = await Member.start(server)
  const members = [left, right] as const
  const load = new WriteLoad(new AnyOf(members), {
    clients: 32,
    servicesEach: 16,
    pauseMs: 15,
    mayLose: true,
  })
  load.start()
  for (let round = 0; round < rounds; round += 1) {
    await load.reached(load.acknowledged.length + 300)
    const member = members[round % 2] as Member
    await member.kill()
    if (round % 4 === 1) await server.kill()
    await sleep(Math.random() * 300)
    if (round % 4 === 1) await server.start()
    // The other one takes over at once, or as soon as the database is there.
    await load.flowsAgain()
    await member.restart()
    await members[(round + 1) % 2]?.damage()
  }
  await load.reached(10_000)
  await load.stop()
  console.log(
    `${load.acknowledged.length} writes acknowledged, ${load.replayed} of them when they came again; ${load.unanswered} requests without an answer; 503: ${JSON.stringify(load.unavailable)}`,
  )
  const history = await readHistory(server)
  checkAcknowledged(history, load)
  const views = await Promise.all(members.map(({ client }) => checkView(client, history)))
  expect(views[0]).toBe(views[1])
  expect(load.unanswered).toBeGreaterThan(0)
  expect(load.replayed).toBeGreaterThan(0)
  for (const { client } of members) {
    await settled(client)
    expect(metric((await client.get('/metrics')).text, 'coordinator_history_forks_total')).toBe(0)
  }
}, 180_000)

/** A coordinator that reaches the database over a line of its own, and comes back under the same address. */
class Member implements AsyncDisposable {
  readonly client: CoordinatorClient
  readonly #proxy: FaultProxy
  readonly #env: Env
  #serving: Serving

  private constructor(proxy: FaultProxy, env: Env, first: Serving) {
    this.client = new CoordinatorClient(first.url)
    this.#proxy = proxy
    this.#env = env
    this.#serving = first
  }

  static async start(server: PostgresServer): Promise<Member> {
    const proxy = await FaultProxy.start(server.port)
    const env = {
      DATABASE_URL: server.url().replace(String(server.port), String(proxy.port)),
      COMMIT_TIMEOUT_MS: '1000',
      PORT: String(await freePort()),
    }
    return new Member(proxy, env, await serving({ env }))
  }

  async kill(): Promise<void> {
    await this.#serving.stop('SIGKILL')
  }

  async restart(): Promise<void> {
    this.#serving = await serving({ env: this.#env })
  }

  /** What happens to lines: answers get lost, those to commits and those to questions, and then every connection. */
  async damage(): Promise<void> {
    for (const matching of ['"commit"', '"changes"', '"commit"'])
      this.#proxy.add({ matching, times: 1, fault: { do: 'lose reply' } })
    await sleep(100)
    this.#proxy.heal()
    this.#proxy.cut()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client[Symbol.asyncDispose]()
    await this.kill()
    await this.#proxy.refuse()
  }
}

/** Sends each request to any of the coordinators: what comes again mostly comes to another one. */
class AnyOf implements Sender {
  readonly #members: readonly Member[]

  constructor(members: readonly Member[]) {
    this.#members = members
  }

  send(call: Call): Promise<Answer> {
    const member = this.#members[Math.floor(Math.random() * this.#members.length)] as Member
    return member.client.send(call)
  }
}
