import { readFile } from 'node:fs/promises'
import { Agent, request } from 'undici'
import { PostgresServer } from '../../test/support/postgres.ts'
import { spread } from '../compare.ts'
import { coordinator, registerMany } from '../coordinator-process.ts'
import { generatedRegistration, scaleFree, seededRandom } from '../load/scale-free.ts'
import { postgresPeer, type RecursivePeer, sqlitePeer } from '../peers/recursive-query.ts'
import type { BenchOptions, Row, Scenario } from '../scenario.ts'
import { type ServerProcess, startServer } from '../server-process.ts'

const sizes = [
  { services: 1_000, edges: 5_000 },
  { services: 10_000, edges: 100_000 },
  { services: 100_000, edges: 1_000_000 },
] as const
type Size = (typeof sizes)[number]

/** What the questions of each kind must take at most at the largest size, in milliseconds. */
const bar = { ms: 50, aimMs: 10 }

/** Generated systems: each question, what a registration costs, memory, against recursive queries in SQL. */
export const graph: Scenario = {
  name: 'graph',
  title: 'The knowledge graph of generated systems',
  note: `The recursive queries answer less: they stop at the first 1,000 nodes, and return only their number, over an open connection. \`impact\`
finds all affected nodes, each with its distance and the path to it, and sends 1,000 of them as JSON over HTTP.`,
  async run(options) {
    const rows: Row[] = []
    for (const size of sizes.filter(({ services }) => services <= options.largest)) {
      const empty = await startServer(coordinator())
      try {
        rows.push(...(await measureSize(size, { empty, options })))
      } finally {
        await empty.stop()
      }
    }
    return rows
  },
}

async function measureSize(
  size: Size,
  { empty, options }: { empty: ServerProcess; options: BenchOptions },
): Promise<Row[]> {
  const server = await startServer(coordinator({ COMMIT_QUEUE_MAX: '100000' }))
  const client = new Client(server.port)
  try {
    const before = await residentMib(server.pid)
    const startedAt = performance.now()
    await registerMany(server.port, [...scaleFree(size.services, size.edges)].map(generatedRegistration))
    const loadMs = performance.now() - startedAt
    const memory = (await residentMib(server.pid)) - before
    const title = `${size.services.toLocaleString('en')} nodes, ${size.edges.toLocaleString('en')} edges`
    options.progress(`${title}: registered in ${Math.round(loadMs)} ms`)
    const largest = size === sizes[2]
    const rows = [
      figure(
        `${title}: registered in batches of 500, services and graph`,
        `${(loadMs / 1_000).toFixed(1)} s`,
      ),
      figure(`${title}: resident memory for services, journal and graph`, `${memory.toFixed(0)} MiB`),
      ...(await measureQuestions(title, size, { client, largest, options })),
      await measureRegistrations(title, { full: client, empty: new Client(empty.port), largest, options }),
    ]
    return [...rows, ...(await measurePeers(title, size, { client, options }))]
  } finally {
    await client.close()
    await server.stop()
  }
}

/** Each question again and again, about nodes that are chosen by chance, while 100 registrations a second arrive. */
async function measureQuestions(
  title: string,
  { services }: Size,
  { client, largest, options }: { client: Client; largest: boolean; options: BenchOptions },
): Promise<Row[]> {
  const random = seededRandom(7)
  const node = () => `svc-${Math.floor(random() * services)}`
  const questions: Readonly<Record<string, () => string>> = {
    impact: () => `impact?of=${node()}&limit=1000`,
    dependencies: () => `dependencies?of=${node()}&limit=1000`,
    paths: () => `paths?from=${node()}&to=${node()}&limit=1000`,
    neighbors: () => `neighbors?of=${node()}&limit=1000`,
    cycles: () => 'cycles',
    critical: () => 'critical',
  }
  const rows: Row[] = []
  const arrivals = new Arrivals(client)
  for (const [name, path] of Object.entries(questions)) {
    const times: number[] = []
    for (const end = performance.now() + options.roundMs; performance.now() < end; ) {
      const startedAt = performance.now()
      await client.get(`/knowledge-graph/${path()}`)
      times.push(performance.now() - startedAt)
    }
    const [p50, p95] = [quantile(times, 0.5), quantile(times, 0.95)]
    const judged = largest && (name === 'impact' || name === 'paths')
    rows.push({
      what: `${title}: \`${name}\`, p50 and p95 over HTTP, ${times.length} times`,
      measured: `${p50.toFixed(1)} ms, ${p95.toFixed(1)} ms`,
      bar: judged ? `<= ${bar.ms} ms` : '',
      aim: judged ? `${bar.aimMs} ms` : '',
      reached: !judged || p95 <= bar.ms,
    })
  }
  await arrivals.end()
  return rows
}

/** One registration at a time, into this graph and into an empty one in turn, 100 a second each. */
async function measureRegistrations(
  title: string,
  { full, empty, largest, options }: { full: Client; empty: Client; largest: boolean; options: BenchOptions },
): Promise<Row> {
  const ratios: number[] = []
  for (let round = 0; round < options.rounds; round += 1) {
    const times = { full: [] as number[], empty: [] as number[] }
    const count = Math.max(50, Math.round(options.roundMs / 10))
    for (let number = 0; number < count; number += 1) {
      const startedAt = performance.now()
      for (const [name, client] of Object.entries({ full, empty }) as ['full' | 'empty', Client][])
        times[name].push(await client.register())
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, 10 - (performance.now() - startedAt))))
    }
    ratios.push(quantile(times.full, 0.5) / quantile(times.empty, 0.5))
  }
  await empty.close()
  const ratio = spread(ratios)
  return {
    what: `${title}: a registration against one into an empty graph, 100 a second`,
    measured: `${ratio.median.toFixed(2)} (${ratio.min.toFixed(2)} to ${ratio.max.toFixed(2)})`,
    bar: largest ? '<= 1.2' : '',
    aim: largest ? '1.05' : '',
    reached: !largest || ratio.median <= 1.2,
  }
}

async function measurePeers(
  title: string,
  size: Size,
  { client, options }: { client: Client; options: BenchOptions },
): Promise<Row[]> {
  await using postgres = await PostgresServer.start()
  const peers: RecursivePeer[] = [sqlitePeer(size), await postgresPeer(postgres, size)]
  const rows: Row[] = []
  for (const peer of peers) {
    const random = seededRandom(7)
    const times = { product: [] as number[], peer: [] as number[] }
    for (
      const end = performance.now() + options.roundMs;
      performance.now() < end || times.peer.length < 5;
    ) {
      const node = Math.floor(random() * size.services)
      let startedAt = performance.now()
      await peer.impact(node)
      times.peer.push(performance.now() - startedAt)
      startedAt = performance.now()
      await client.get(`/knowledge-graph/impact?of=svc-${node}&limit=1000`)
      times.product.push(performance.now() - startedAt)
    }
    await peer.close()
    const [product, other] = [quantile(times.product, 0.5), quantile(times.peer, 0.5)]
    rows.push(
      figure(
        `${title}: \`impact\` over HTTP against a ${peer.name}, p50`,
        `${product.toFixed(1)} ms against ${other.toFixed(1)} ms`,
      ),
    )
  }
  return rows
}

/** Sends one request after the other over one connection. */
class Client {
  readonly #origin: string
  readonly #agent = new Agent({ connections: 2, pipelining: 1 })
  #registered = 0

  constructor(port: number) {
    this.#origin = `http://127.0.0.1:${port}`
  }

  async get(path: string): Promise<void> {
    const { statusCode, body } = await request(this.#origin + path, { dispatcher: this.#agent })
    const text = await body.text()
    if (statusCode !== 200) throw new Error(`${path} was answered ${statusCode}: ${text}`)
  }

  /** Registers a new service with three dependencies. @returns how long that took, in milliseconds */
  async register(): Promise<number> {
    this.#registered += 1
    const number = this.#registered
    const needs = [7_919, 104_729, 31].map((factor) => (number * factor) % 1_000)
    const json = generatedRegistration({ number: 10_000_000 + number, needs })
    const startedAt = performance.now()
    const { statusCode, body } = await request(`${this.#origin}/register`, {
      dispatcher: this.#agent,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: json,
    })
    await body.text()
    if (statusCode !== 201) throw new Error(`A registration was answered ${statusCode}.`)
    return performance.now() - startedAt
  }

  close(): Promise<void> {
    return this.#agent.close()
  }
}

/** A hundred registrations a second, beside what is measured. */
class Arrivals {
  readonly #timer: NodeJS.Timeout
  #last: Promise<unknown> = Promise.resolve()

  constructor(client: Client) {
    this.#timer = setInterval(() => {
      this.#last = client.register()
    }, 10)
  }

  async end(): Promise<void> {
    clearInterval(this.#timer)
    await this.#last
  }
}

function figure(what: string, measured: string): Row {
  return { what, measured, bar: '', aim: '', reached: true }
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((left, right) => left - right)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

async function residentMib(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1_024
}
