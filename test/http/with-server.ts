import { once } from 'node:events'
import { connect } from 'node:net'
import { PassThrough } from 'node:stream'
import { Access } from '../../src/access/access.ts'
import { MemoryStore } from '../../src/database/memory/store.ts'
import type { Inspector, Store } from '../../src/database/store.ts'
import { KnowledgeGraph } from '../../src/graph/knowledge-graph.ts'
import type { Operation } from '../../src/http/reading/operation.ts'
import { createHttpServer, type HttpServer, type HttpServerOptions } from '../../src/http/server.ts'
import { Live } from '../../src/live/live.ts'
import type { LiveOptions } from '../../src/live/state/live-options.ts'
import { Registry } from '../../src/registry/registry.ts'
import type { QuestionTimes } from '../../src/scheduling/client-question.ts'
import { createLogger } from '../../src/telemetry/logging.ts'
import { createMetrics, type Metrics } from '../../src/telemetry/metrics.ts'
import { FaultyStore } from '../support/faulty-store.ts'
import { turns } from '../support/turns.ts'
import { wholeDomain } from '../support/whole-domain.ts'
import { quick } from '../support/with-live.ts'

export interface ServerSetup {
  readonly options?: Partial<LiveOptions>
  /** @default open to everybody */
  readonly access?: Access
  readonly durable?: boolean
  readonly started?: boolean
  readonly inner?: Store
  readonly inspector?: Inspector
  /** What the store tells of its connections and replicas. @default it has none */
  readonly figures?: Pick<Store, 'pool' | 'replicas'>
  readonly logRequests?: boolean
  /** @default 'debug' */
  readonly logLevel?: 'trace'
  readonly settings?: Partial<HttpServerOptions['settings']>
  readonly bodyGraceMs?: number
  readonly requestTimeoutMs?: number
  readonly stallTimeoutMs?: number
  readonly shutdownTimeoutMs?: number
  readonly questionTimes?: QuestionTimes
  /** Adds to the server before it listens, such as a route. */
  readonly prepare?: (server: HttpServer) => void
  readonly unsentMaxMib?: number
  readonly streamsMax?: number
  readonly handshakeTimeoutMs?: number
  readonly tlsLookMs?: number
  /** Where the built console is. */
  readonly consoleFolder?: string
}

/** An answer with its body read. */
export interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The body as JSON; `undefined` where it is none. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  readonly body: any
}

export interface Ask {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON, with its content type; a text is sent as it is. */
  readonly json?: unknown
}

/** A server that listens, and the live layer behind it. */
export interface ServerScope {
  readonly live: Live
  /** The store under it, whose calls can be made to fail. */
  readonly store: FaultyStore
  readonly graph: KnowledgeGraph
  readonly server: HttpServer
  readonly metrics: Metrics
  readonly url: string
  readonly port: number
  /** Lines of the log so far. */
  readonly log: string[]
  ask(path: string, ask?: Ask): Promise<Reply>
  /** Waits until the next request has arrived, and its handler has come to its first wait. */
  nextRequest(): Promise<void>
  /** Sends bytes over a connection of its own, and gives back all that comes until it ends or is quiet. */
  raw(bytes: string | readonly string[], quietMs?: number): Promise<string>
}

/** Runs a test with a server on a free port, and stops it afterwards, whatever happened. */
export async function withServer(
  body: (scope: ServerScope) => Promise<void>,
  setup: ServerSetup = {},
): Promise<void> {
  const scope = await makeScope(setup)
  try {
    if (setup.started !== false) await scope.live.start()
    await body(scope)
  } finally {
    scope.store.heal()
    scope.store.release()
    await scope.server.stop(200)
    await scope.graph.close()
  }
}

async function makeScope(setup: ServerSetup): Promise<ServerScope> {
  const { inner = new MemoryStore(), durable = true, inspector, figures } = setup
  const { requestTimeoutMs, stallTimeoutMs } = setup
  const store = Object.assign(
    new FaultyStore(inner, { durable }),
    inspector === undefined ? {} : { inspector },
    figures,
  )
  const metrics = createMetrics({ backend: store.backend, process: false })
  const live = new Live(store, wholeDomain, { ...quick, ...setup.options, meter: metrics.database })
  const graph = new KnowledgeGraph(live)
  const log: string[] = []
  const server = createHttpServer({
    live,
    registry: new Registry(live),
    graph,
    access: setup.access ?? new Access({ mode: 'open' }),
    metrics,
    logger: await createLogger({
      level: setup.logLevel ?? 'debug',
      format: 'json',
      destination: gather(log),
    }),
    settings: {
      host: '127.0.0.1',
      // Requests that tests write byte by byte have this host.
      allowedHosts: ['x'],
      allowedOrigins: [],
      connectionsMax: 10_000,
      bodiesMaxBytes: 134_217_728,
      ...setup.settings,
      shutdownTimeoutMs: setup.shutdownTimeoutMs ?? 2_000,
      logRequests: setup.logRequests ?? false,
      unsentMaxMib: setup.unsentMaxMib ?? 64,
      streamsMax: setup.streamsMax ?? 8,
    },
    version: '1.2.3',
    ...(setup.bodyGraceMs === undefined ? {} : { bodyGraceMs: setup.bodyGraceMs }),
    ...(requestTimeoutMs === undefined ? {} : { requestTimeoutMs }),
    ...(stallTimeoutMs === undefined ? {} : { stallTimeoutMs }),
    ...(setup.handshakeTimeoutMs === undefined ? {} : { handshakeTimeoutMs: setup.handshakeTimeoutMs }),
    ...(setup.consoleFolder === undefined ? {} : { consoleFolder: setup.consoleFolder }),
    ...(setup.tlsLookMs === undefined ? {} : { tlsLookMs: setup.tlsLookMs }),
    ...(setup.questionTimes === undefined ? {} : { questionTimes: setup.questionTimes }),
  })
  setup.prepare?.(server)
  const url = await server.listen({ host: '127.0.0.1', port: 0 })
  const port = Number(new URL(url).port)
  return {
    ...{ live, graph, store, server, metrics, url, port, log },
    ask: (path, ask) => send(url + path, ask),
    async nextRequest() {
      await once(server.app.server, 'request')
      await turns(3)
    },
    raw: (bytes, quietMs = 300) => sendRaw(port, [bytes].flat(), quietMs),
  }
}

/** The options of a route that only a test has. */
export const forTest: { readonly config: { readonly operation: Operation } } = {
  config: {
    operation: { chapter: 'about', scope: 'read', hidden: true, summary: 'Only for a test', answers: {} },
  },
}

/** A write that can be tried with `dryRun=true`. */
export const forTrial: typeof forTest = {
  config: {
    operation: { ...forTest.config.operation, scope: 'register', dryRunScope: 'read', writes: true },
  },
}

function gather(lines: string[]): PassThrough {
  const destination = new PassThrough()
  destination.on('data', (chunk: Buffer) => lines.push(...chunk.toString().trimEnd().split('\n')))
  return destination
}

async function send(url: string, { method, headers = {}, json }: Ask = {}): Promise<Reply> {
  const body = json === undefined ? undefined : typeof json === 'string' ? json : JSON.stringify(json)
  const response = await fetch(url, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body }),
    redirect: 'manual',
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, text, body: parse(text) }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function sendRaw(port: number, parts: readonly string[], quietMs: number): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  const socket = connect(port, '127.0.0.1')
  let received = ''
  socket.setTimeout(quietMs, () => socket.destroy())
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString()
  })
  socket.on('error', () => undefined)
  socket.on('close', () => resolve(received))
  for (const part of parts) socket.write(part)
  return promise
}

export const cart = { serviceName: 'cart', version: '1.4.0', endpoint: 'http://cart:7070' }

/** Registers something and answers its id. */
export async function register({ ask }: ServerScope, registration: object = cart): Promise<string> {
  const { body } = await ask('/register', { json: registration })
  return body.serviceId as string
}
