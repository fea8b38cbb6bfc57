import { describe, expect, it } from 'vitest'
import { serviceIdOf } from '../../src/records/service/identity.ts'
import { type Env, serving } from '../main/coordinator-process.ts'
import { PostgresServer } from '../support/postgres.ts'
import { SupabaseProject } from '../support/supabase.ts'
import { type Answer, CoordinatorClient } from './coordinator-client.ts'
import { checkView, readHistory } from './stored-history.ts'

/** Clients that want the same service at the same moment, half of them through each coordinator. */
const rivals = 8

interface Races {
  /** Services that are fought for at the same time. */
  readonly arenas: number
  /** Races for each of them. */
  readonly races: number
}

describe('two coordinators on one database', () => {
  it('64 clients, 10,000 writes with If-Match: one winner a race, and views equal to the database', async () => {
    await using server = await PostgresServer.start({ config: { fsync: 'on' } })
    const env = { DATABASE_URL: server.url() }
    await race([env, env], server, { arenas: 8, races: 157 })
  }, 120_000)

  it('the same by wire and through the Data API of Supabase', async () => {
    await using project = await SupabaseProject.start({ config: { fsync: 'on' } })
    const byWire = { DATABASE_URL: project.server.url() }
    const byApi = { SUPABASE_URL: project.api.url, SUPABASE_SECRET_KEY: project.keys.secretKey }
    await race([byWire, byApi], project.server, { arenas: 8, races: 32 })
  }, 120_000)
})

async function race(
  envs: readonly [Env, Env],
  server: PostgresServer,
  { arenas, races }: Races,
): Promise<void> {
  const [one, two] = envs.map((env) => serving({ env }))
  await using first = await (one as ReturnType<typeof serving>)
  await using second = await (two as ReturnType<typeof serving>)
  await using left = new CoordinatorClient(first.url)
  await using right = new CoordinatorClient(second.url)
  const startedAt = performance.now()
  const fights = Array.from({ length: arenas }, (_, index) => new Arena(index, [left, right]))
  await Promise.all(fights.map((arena) => arena.run(races)))
  const seconds = (performance.now() - startedAt) / 1_000
  const wins = fights.flatMap((arena) => arena.wins)
  console.log(
    `${arenas * races * rivals} writes of ${arenas * rivals} clients in ${seconds.toFixed(1)} s: ${wins.length} winners, ${wins.filter(({ side }) => side === 0).length} of them on the first coordinator`,
  )
  const history = await readHistory(server)
  // Every race had one winner, and the journal holds these and nothing else.
  expect(wins).toHaveLength(arenas * races)
  expect(history.journal.map(({ revision }) => revision)).toEqual(
    wins.map(({ revision }) => revision).sort((a, b) => a - b),
  )
  for (const { revision, serviceId, content } of wins) {
    const [write] = history.journal[revision - 1]?.writes ?? []
    expect([write?.id, write?.op, write?.data?.['description']]).toEqual([
      serviceId,
      content === undefined ? 'delete' : 'put',
      content,
    ])
  }
  // Each side had races to itself, whose outcome the other one had to learn.
  for (const side of [0, 1]) expect(wins.filter((win) => win.side === side).length).toBeGreaterThan(0)
  const views = [await checkView(left, history), await checkView(right, history)]
  expect(views[0]).toBe(views[1])
}

/**
 * Half of the rivals on each side; but where one side is nearer to the database it may win all of those races, so that
 * every eighth one belongs to one side alone.
 */
function sideOf(rival: number, round: number): number {
  return round % 8 === 7 ? (round >> 3) % 2 : (rival + (rival >> 1)) % 2
}

interface Win {
  readonly revision: number
  readonly serviceId: string
  /** Its description; `undefined` for a deletion. */
  readonly content: string | undefined
  readonly side: number
}

/** What the winner of the race before left behind. */
type Known = { readonly etag: string } | 'absent'

/** One service for which clients race, again and again, each time all of them knowing what the one before left. */
class Arena {
  readonly wins: Win[] = []
  readonly #sides: readonly [CoordinatorClient, CoordinatorClient]
  readonly #base: { readonly serviceName: string; readonly version: string; readonly endpoint: string }
  readonly #serviceId: string

  constructor(index: number, sides: readonly [CoordinatorClient, CoordinatorClient]) {
    this.#sides = sides
    this.#base = { serviceName: `arena-${index}`, version: '1.0.0', endpoint: `http://arena-${index}:8080` }
    this.#serviceId = serviceIdOf(this.#base)
  }

  async run(races: number): Promise<void> {
    let known: Known = 'absent'
    for (let round = 0; round < races; round += 1) known = await this.#race(round, known)
  }

  async #race(round: number, known: Known): Promise<Known> {
    const tries = await Promise.all(
      Array.from({ length: rivals }, async (_, rival) => {
        // Now and then some want it gone while others want it changed.
        const wantsDeletion = known !== 'absent' && round % 5 === 4 && rival % 2 === 0
        const content = wantsDeletion ? undefined : `round ${round}, rival ${rival}`
        const side = sideOf(rival, round)
        return { side, content, answer: await this.#send({ side, content, known }) }
      }),
    )
    const [winner, ...more] = tries.filter(({ answer }) => answer.status < 300)
    if (winner === undefined || more.length > 0)
      throw new Error(`Round ${round} has ${more.length} winners too many: ${show(tries)}`)
    for (const loser of tries.filter((each) => each !== winner))
      expect(loser.answer).toMatchObject({ status: 412, body: { code: 'COORD_PRECONDITION_FAILED' } })
    const { side, content, answer } = winner
    this.wins.push({ revision: answer.body.revision, serviceId: this.#serviceId, content, side })
    return content === undefined ? 'absent' : { etag: answer.etag as string }
  }

  #send(wish: { side: number; content: string | undefined; known: Known }): Promise<Answer> {
    const { side, content, known } = wish
    const client = this.#sides[side] as CoordinatorClient
    const headers: Record<string, string> =
      known === 'absent' ? { 'if-none-match': '*' } : { 'if-match': known.etag }
    return content === undefined
      ? client.send({ method: 'DELETE', path: `/services/${this.#serviceId}`, headers })
      : client.send({
          method: 'POST',
          path: '/register',
          body: { ...this.#base, description: content },
          headers,
        })
  }
}

function show(tries: readonly { readonly answer: Answer }[]): string {
  return tries.map(({ answer }) => `${answer.status} ${answer.text}`).join('\n')
}
