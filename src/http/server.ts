import type { Socket } from 'node:net'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { Access } from '../access/access.ts'
import type { BackupFigures } from '../archive/archiver/backup-figures.ts'
import type { Settings } from '../config/settings.ts'
import { CoordinatorError } from '../errors.ts'
import type { KnowledgeGraph } from '../graph/knowledge-graph.ts'
import type { Live } from '../live/live.ts'
import type { Registry } from '../registry/registry.ts'
import { QUESTION_TIMES, type QuestionTimes } from '../scheduling/client-question.ts'
import type { Logger } from '../telemetry/logging.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { answerWhenRoom } from './answering/answer-when-room.ts'
import { Answers, RoomNeeded } from './answering/answers.ts'
import { ProblemSender } from './answering/send-problem.ts'
import { MEMORY_NOTICE } from './answering/storage-note.ts'
import { addressOf, trustProxies } from './client/address-of.ts'
import { addBasePath, rewritingBasePath } from './client/base-path.ts'
import { ClientLimits } from './client/client-limits.ts'
import { ConnectionMemory } from './client/connection-memory.ts'
import { ConsoleFiles } from './console/console-files.ts'
import { RequestGuard } from './guard/request-guard.ts'
import { Connections } from './lifecycle/connections.ts'
import { listen, listenerOptions } from './lifecycle/listen.ts'
import { refuseConnection } from './lifecycle/refuse-connection.ts'
import { ServerCertificate } from './lifecycle/server-certificate.ts'
import { type StopReport, stopServer } from './lifecycle/stop-server.ts'
import { BodyReceiver } from './reading/receive-body.ts'
import { createRequestIds } from './reading/request-ids.ts'
import { gatherRoutes, type ServedRoute } from './reference/documented-route.ts'
import { accessRoutes } from './routes/access.ts'
import { changesRoutes } from './routes/changes.ts'
import { consoleRoutes } from './routes/console.ts'
import { graphRoutes } from './routes/graph.ts'
import { graphQuestionRoutes } from './routes/graph-questions.ts'
import { graphWriteRoutes } from './routes/graph-write.ts'
import { healthRoutes } from './routes/health.ts'
import { namespacesRoutes } from './routes/namespaces.ts'
import { operationsRoutes } from './routes/operations.ts'
import { overviewRoutes } from './routes/overview.ts'
import { referenceRoutes } from './routes/reference.ts'
import { registerRoutes } from './routes/register.ts'
import { serviceRoutes } from './routes/service.ts'
import { servicesRoutes } from './routes/services.ts'
import { snapshotRoutes } from './routes/snapshot.ts'
import { tokenRoutes } from './routes/tokens.ts'
import { AccessGate, noRouteDemand } from './routing/access-gate.ts'
import type { HttpContext } from './routing/http-context.ts'
import { RouteTable } from './routing/not-found.ts'
import { runHandlers } from './routing/run-handlers.ts'
import { OutgoingBytes } from './sending/outgoing-bytes.ts'
import { WholeStreams } from './streams/whole-streams.ts'

export interface HttpServerOptions {
  readonly live: Live
  readonly registry: Registry
  readonly graph: KnowledgeGraph
  /** Who may do what. Its owner starts and stops it. */
  readonly access: Access
  /** The state of the backups. @default there are none */
  readonly backup?: () => BackupFigures
  readonly metrics: Metrics
  readonly logger: Logger
  readonly settings: Pick<
    Settings,
    | 'host'
    | 'allowedHosts'
    | 'allowedOrigins'
    | 'connectionsMax'
    | 'bodiesMaxBytes'
    | 'unsentMaxMib'
    | 'streamsMax'
    | 'shutdownTimeoutMs'
    | 'logRequests'
  > &
    Partial<
      Pick<
        Settings,
        | 'basePath'
        | 'console'
        | 'trustedProxies'
        | 'limitWritesPerSecond'
        | 'limitStreams'
        | 'tlsCertFile'
        | 'tlsKeyFile'
      >
    >
  /** Version of the program. */
  readonly version: string
  /** How long a request may take to arrive, in milliseconds. @default 30_000 */
  readonly requestTimeoutMs?: number
  /** How long a question may take to the first byte of its answer. @default 10 s, and 60 s if it is about the past */
  readonly questionTimes?: QuestionTimes
  /** How long a client may take nothing of a large answer, in milliseconds. @default 60_000 */
  readonly stallTimeoutMs?: number
  /** How long a body may take in addition to the time for its length, in milliseconds. @default 10_000 */
  readonly bodyGraceMs?: number
  /** How long a TLS handshake may take. @default 10_000 (milliseconds) */
  readonly handshakeTimeoutMs?: number
  /** Where the built console is. @default in the package, or in `dist/console` of a checkout */
  readonly consoleFolder?: string
  /** How often the files of TLS are read. @default 2_000 (milliseconds) */
  readonly tlsLookMs?: number
}

/** The HTTP interface over a live view and its registry. */
export interface HttpServer {
  readonly app: FastifyInstance
  /** Every route; complete when `app` is ready. */
  readonly routes: readonly ServedRoute[]

  /**
   * @param port 0 chooses a free one
   * @returns the URL of the server
   * @throws COORD_LISTEN_FAILED, COORD_TLS_FILE
   */
  listen(address: { readonly host: string; readonly port: number }): Promise<string>

  /**
   * Stops in order: accepts no new connection, answers every request that has arrived, stores what the live layer accepted, and closes the
   * store.
   *
   * @param timeoutMs how long that may take. @default SHUTDOWN_TIMEOUT_MS
   */
  stop(timeoutMs?: number): Promise<StopReport>
}

/** Longer than any id. A request with an unknown id therefore gets the error about the id, not about the path. */
const parameterMaxLength = 8_192

/** Creates the server. It does not listen yet. */
export function createHttpServer(options: HttpServerOptions): HttpServer {
  const { live, settings, metrics, logger, stallTimeoutMs = 60_000 } = options
  const hasConsole = settings.console !== false
  const draining = new AbortController()
  const outgoing = new OutgoingBytes({ maxBytes: settings.unsentMaxMib * 1_048_576 })
  const wholeStreams = new WholeStreams(settings.streamsMax)
  const memory = new ConnectionMemory(live.memory)
  const limits = new ClientLimits({ ...settings, memory }, metrics)
  const arePrivate = options.access.mode === 'required'
  const answers = new Answers({ live, metrics, outgoing, stallTimeoutMs, arePrivate })
  const bodies = new BodyReceiver({
    maxBytes: settings.bodiesMaxBytes,
    metrics,
    ...(options.bodyGraceMs === undefined ? {} : { graceMs: options.bodyGraceMs }),
  })
  const certificate = certificateOf(options)
  const app = createFastify(options, {
    ...{ answers, bodies, tls: certificate !== undefined },
    draining: draining.signal,
  })
  const connections = new Connections(app.server, {
    ...{ max: settings.connectionsMax, memory, metrics },
    log: logger,
  })
  const context = contextOf(options, {
    ...{ answers, outgoing, wholeStreams, limits, stallTimeoutMs },
    draining: draining.signal,
  })
  metrics.ask({
    outgoing: () => outgoing,
    wholeStreams: () => wholeStreams,
    certificateEndsAt: () => certificate?.endsAt,
  })
  if (settings.logRequests) logRequests(app, logger)
  const served = gatherRoutes(app)
  for (const routes of [
    registerRoutes,
    servicesRoutes,
    namespacesRoutes,
    serviceRoutes,
    graphRoutes,
    graphQuestionRoutes,
    overviewRoutes,
    graphWriteRoutes,
    changesRoutes,
    snapshotRoutes,
    accessRoutes,
    tokenRoutes,
    healthRoutes,
    operationsRoutes,
  ])
    app.register(routes, context)
  if (hasConsole) app.register(consoleRoutes, { context, files: new ConsoleFiles(options.consoleFolder) })
  app.register(referenceRoutes, { context, routes: served, hasConsole })
  let stopping: Promise<StopReport> | undefined
  return {
    app,
    routes: served,
    async listen(address) {
      await app.ready()
      await certificate?.use(app.server)
      return listen(app.server, address)
    },
    stop(timeoutMs = settings.shutdownTimeoutMs) {
      certificate?.stop()
      stopping ??= stopServer({ app, live, answers, bodies, connections, draining, log: logger }, timeoutMs)
      return stopping
    },
  }
}

function contextOf(
  { live, registry, graph, access, backup, metrics, logger, version }: HttpServerOptions,
  own: Pick<HttpContext, 'answers' | 'outgoing' | 'wholeStreams' | 'limits' | 'stallTimeoutMs' | 'draining'>,
): HttpContext {
  const { backend, durable } = live.store
  return {
    ...{ live, registry, graph, access, metrics, version, log: logger, ...own },
    backup,
    storage: { backend, durable },
    notice: durable ? undefined : MEMORY_NOTICE,
  }
}

/** Routes check requests and write answers themselves. A route with a schema of Fastify ends the start. */
function noCompiler(): never {
  throw new CoordinatorError('COORD_INTERNAL', {
    detail: 'A route has a schema of Fastify, which is not checked.',
  })
}

function createFastify(
  options: HttpServerOptions,
  own: {
    readonly answers: Answers
    readonly bodies: BodyReceiver
    readonly tls: boolean
    readonly draining: AbortSignal
  },
): FastifyInstance {
  const { answers, bodies, tls, draining } = own
  const { access, metrics, logger, settings } = options
  const { requestTimeoutMs = 30_000, questionTimes = QUESTION_TIMES } = options
  const gate = new AccessGate(access, draining)
  const problems = new ProblemSender(answers, { log: logger, metrics })
  const requestIds = createRequestIds()
  const app: FastifyInstance = Fastify({
    logger: false,
    genReqId: ({ headers }) => requestIds(headers['x-request-id']),
    requestTimeout: requestTimeoutMs,
    // A request on an open connection is still answered while the server stops.
    return503OnClosing: false,
    clientErrorHandler: (error, socket) => refuseConnection(error, socket as Socket, metrics),
    frameworkErrors: (error, request, reply) => refuse(request, reply, () => error),
    // Without these, Fastify loads the compilers of its own: 100 modules for schemas that no route has.
    schemaController: { compilersFactory: { buildValidator: noCompiler, buildSerializer: noCompiler } },
    routerOptions: { maxParamLength: parameterMaxLength, ignoreTrailingSlash: true },
    ...rewritingBasePath(settings.basePath),
    ...listenerOptions({ tls, requestTimeoutMs, handshakeTimeoutMs: options.handshakeTimeoutMs }),
  })
  new RequestGuard(
    { ...settings, accessMode: access.mode, servesStrangers: access.servesStrangers },
    { metrics, requestIds },
  ).protect(app.server)
  trustProxies(app, settings.trustedProxies)
  addBasePath(app, settings.basePath)
  const table = new RouteTable()
  table.watch(app)
  runHandlers(app, { gate, bodies, questionTimes })
  app.setErrorHandler((error, request, reply) => {
    if (error instanceof RoomNeeded) return answerWhenRoom(reply, error, { answers, problems })
    problems.send(request, reply, error)
    return undefined
  })
  app.setNotFoundHandler((request, reply) =>
    refuse(request, reply, () => {
      const [path = ''] = (request.raw.url ?? '').split('?', 1)
      return table.explain(request.method, path)
    }),
  )
  return app

  /** Answers a request that no route handles. Only a caller with a credential learns the reason. */
  function refuse(request: FastifyRequest, reply: FastifyReply, reasonOf: () => Error): void {
    const send = (thrown: unknown) => problems.send(request, reply, thrown)
    try {
      const admitted = gate.admit(request, noRouteDemand)
      if (admitted === undefined) send(reasonOf())
      else void admitted.then(() => send(reasonOf()), send)
    } catch (thrown) {
      send(thrown)
    }
  }
}

function logRequests(app: FastifyInstance, log: Logger): void {
  // A connection that has closed has no address any more.
  app.addHook('onRequest', (request, _, done) => {
    addressOf(request)
    done()
  })
  app.addHook('onResponse', (request, reply, done) => {
    const { method, url, id } = request
    const durationMs = Math.round(reply.elapsedTime * 1_000) / 1_000
    const { statusCode: status } = reply.raw
    log.info({ requestId: id, address: addressOf(request), method, url, status, durationMs }, 'request')
    done()
  })
}

function certificateOf({ settings, logger, tlsLookMs }: HttpServerOptions): ServerCertificate | undefined {
  const { tlsCertFile: certFile, tlsKeyFile: keyFile } = settings
  if (certFile === undefined || keyFile === undefined) return undefined
  return new ServerCertificate({ files: { certFile, keyFile }, log: logger, lookMs: tlsLookMs })
}
