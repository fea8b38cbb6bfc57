import packageJson from '../package.json' with { type: 'json' }
import type { Access } from './access/access.ts'
import type { Archiver } from './archive/archiver/archiver.ts'
import { reportSnapshots } from './archive/snapshot/report-snapshots.ts'
import type { SnapshotWriter } from './archive/snapshot/snapshot-writer.ts'
import { describeDatabase } from './config/database.ts'
import { readSettings, type Settings, secretTexts } from './config/settings.ts'
import { createAccess, NO_ADMINISTRATOR, OPEN_TIMES } from './create-access.ts'
import { makeStore, type StoreHooks } from './database/open.ts'
import type { Store } from './database/store.ts'
import { CoordinatorError } from './errors.ts'
import { KnowledgeGraph } from './graph/knowledge-graph.ts'
import { MEMORY_ARCHIVED, MEMORY_NOTICE } from './http/answering/storage-note.ts'
import { listeningText } from './http/lifecycle/listen.ts'
import type { StopReport } from './http/lifecycle/stop-server.ts'
import { createHttpServer, type HttpServer } from './http/server.ts'
import { Live } from './live/live.ts'
import { processMemory } from './live/memory/memory-budget.ts'
import { leastHeapMiB, mebibytes } from './live/memory/memory-faults.ts'
import { reportLive } from './live/report-live.ts'
import type { LiveOptions } from './live/state/live-options.ts'
import { domain, Registry } from './registry/registry.ts'
import { createLogger, type Logger } from './telemetry/logging.ts'
import { createMetrics, type Metrics } from './telemetry/metrics.ts'

export interface CoordinatorOptions {
  /** The database: `sqlite:PATH`, `postgres://...` or `memory:`. @default the one in `env`, else memory */
  readonly databaseUrl?: string
  /** Address to listen on. @default HOST of `env`, else '127.0.0.1' */
  readonly host?: string
  /** Port to listen on; 0 takes a free one. @default PORT of `env`, else 3000 */
  readonly port?: number
  /** Environment variables with further settings (docs/settings.md). @default none: those of the process are not read */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Settings that were already read, instead of all the above. */
  readonly settings?: Settings
  /** Your own store, instead of the one in the settings. */
  readonly store?: Store
  /** @default nothing is logged */
  readonly logger?: Logger
}

/**
 * Creates a coordinator. It opens nothing before `start`.
 *
 * @throws COORD_CONFIG_INVALID, COORD_CONFIG_INCOMPLETE or COORD_CONFIG_UNSUPPORTED
 */
export async function createCoordinator(options: CoordinatorOptions = {}): Promise<Coordinator> {
  const settings =
    options.settings ?? readSettings(environmentOf(options), { ownStore: options.store !== undefined })
  const logger = options.logger ?? (await createLogger({ level: 'silent', secrets: secretTexts(settings) }))
  const bare = options.store ?? (await makeStore(settings, storeHooks(settings, logger)))
  // Snapshots and backups are loaded only where they are set: their modules take several MiB.
  const snapshots =
    options.store !== undefined || settings.snapshotDir === undefined
      ? undefined
      : (await import('./create-snapshots.ts')).openSnapshots(settings, reportSnapshots(logger))
  const metrics = createMetrics({ backend: bare.backend, version: packageJson.version })
  const live = new Live(bare, domain, {
    ...liveOptionsOf(settings),
    meter: metrics.database,
    requiredSince: () => access.requiredSince,
    ...(snapshots === undefined
      ? {}
      : { findSnapshots: () => snapshots.find((tokens) => access.startWithoutStore(tokens)) }),
  })
  const { store } = live
  const access = await createAccess(settings.access, { store: store.access, logger })
  live.observe(reportLive(logger, metrics.live))
  const registry = new Registry(live)
  const graph = new KnowledgeGraph(live)
  const archiver =
    settings.backupUrl === undefined
      ? undefined
      : (await import('./create-archiver.ts')).createArchiver(settings, { live, logger })
  const snapshotWriter = snapshots?.createWriter(live)
  metrics.ask({
    status: () => live.status.state,
    live: () => live.figures,
    memory: () => ({
      state: live.memory.state,
      usedBytes: live.memory.usedBytes,
      limitBytes: live.memory.limitBytes,
      journalBytes: store.historyInMemory?.bytes() ?? 0,
    }),
    graph: () => graph.figures,
    registeredServices: () => (live.loaded ? registry.counts().services : 0),
    ...(store.pool === undefined ? {} : { connections: store.pool }),
    ...(store.replicas === undefined ? {} : { replicas: store.replicas }),
    ...(archiver === undefined ? {} : { backup: () => archiver.figures }),
  })
  logger.info(
    {
      version: packageJson.version,
      node: process.version,
      database: databaseOf(options, settings),
      access: access.mode,
    },
    'coordinator',
  )
  const server = createHttpServer({
    live,
    registry,
    graph,
    access,
    ...(archiver === undefined ? {} : { backup: () => archiver.figures }),
    metrics,
    logger,
    settings,
    version: packageJson.version,
    questionTimes: { presentMs: settings.questionTimeoutMs, pastMs: settings.pastQuestionTimeoutMs },
  })
  return new Coordinator({
    ...{ live, registry, graph, access, archiver, snapshotWriter, metrics, settings, logger, server },
  })
}

function storeHooks({ database }: Settings, logger: Logger): StoreHooks {
  return {
    onWarning: (warning) => logger.warn(warning),
    onMigrated: (step) => logger.info({ backend: database.backend, ...step }, 'the schema was migrated'),
  }
}

/** The database, as the log shows it. */
function databaseOf({ store }: CoordinatorOptions, { database }: Settings): string {
  return store === undefined ? describeDatabase(database) : store.backend
}

function environmentOf({ env = {}, databaseUrl, host, port }: CoordinatorOptions) {
  return {
    ...env,
    ...(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl }),
    ...(host === undefined ? {} : { HOST: host }),
    ...(port === undefined ? {} : { PORT: String(port) }),
  }
}

function liveOptionsOf(settings: Settings): Partial<LiveOptions> {
  return {
    commitTimeoutMs: settings.commitTimeoutMs,
    queueMax: settings.commitQueueMax,
    pollMinMs: settings.pollMinMs,
    pollMaxMs: settings.pollMaxMs,
    keepHours: settings.journalKeepHours,
    keepRevisions: settings.journalKeepRevisions,
    keepBytes: journalBytes(settings),
  }
}

/** History takes at most a quarter of a small heap. In a large heap, more than 256 MiB would be of no use. */
function journalBytes({ journalMemoryMib }: Settings): number {
  if (journalMemoryMib !== undefined) return journalMemoryMib * 1_048_576
  return Math.min(processMemory().limitBytes / 4, 256 * 1_048_576)
}

type Parts = Pick<
  Coordinator,
  'live' | 'registry' | 'graph' | 'access' | 'archiver' | 'snapshotWriter' | 'metrics' | 'settings'
> & {
  readonly logger: Logger
  readonly server: HttpServer
}

/** A coordinator in this process, created by `createCoordinator`. */
export class Coordinator {
  /** The live view, which gives access to the store. */
  readonly live: Live
  readonly registry: Registry
  readonly graph: KnowledgeGraph
  /** Who may do what over HTTP; creates tokens. Calls of this program need no rights. */
  readonly access: Access
  /** The backups; `undefined` without BACKUP_URL. */
  readonly archiver: Archiver | undefined
  /** Keeps snapshots for a start without the database; `undefined` without SNAPSHOT_DIR. */
  readonly snapshotWriter: SnapshotWriter | undefined
  readonly metrics: Metrics
  readonly settings: Settings
  readonly #logger: Logger
  readonly #server: HttpServer
  #url: string | undefined
  #starting: Promise<void> | undefined
  #stopping = false

  constructor(parts: Parts) {
    this.live = parts.live
    this.registry = parts.registry
    this.graph = parts.graph
    this.access = parts.access
    this.archiver = parts.archiver
    this.snapshotWriter = parts.snapshotWriter
    this.metrics = parts.metrics
    this.settings = parts.settings
    this.#logger = parts.logger
    this.#server = parts.server
  }

  /** The URL of the coordinator, such as `http://127.0.0.1:3000`. @throws COORD_INTERNAL before it listens */
  get url(): string {
    if (this.#url !== undefined) return this.#url
    throw new CoordinatorError('COORD_INTERNAL', {
      detail: 'The coordinator does not listen yet.',
      hint: 'Call `start` first.',
    })
  }

  /**
   * Listens, then loads the records. Resolves when they are served. While the database cannot be reached, it keeps trying, and requests get
   * 503 `COORD_NOT_LOADED`; with SNAPSHOT_DIR, the newest snapshot is served after some seconds. It starts only once; later calls wait for
   * the same start.
   *
   * @throws COORD_LISTEN_FAILED, COORD_SHUTTING_DOWN if it is or was stopped, or the first definite answer of the database, such as
   * COORD_STORE_LOCKED (unless a snapshot is served by then), or COORD_CONFIG_INVALID where AUTH=required would protect nothing; the coordinator is then stopped
   */
  async start(): Promise<void> {
    if (this.#stopping) throw new CoordinatorError('COORD_SHUTTING_DOWN')
    this.#starting ??= this.#start()
    await this.#starting
  }

  async #start(): Promise<void> {
    for (const warning of this.settings.warnings) this.#logger.warn(warning)
    const limitMiB = mebibytes(this.live.memory.limitBytes)
    if (limitMiB < leastHeapMiB)
      this.#logger.warn(
        { limitMiB, leastHeapMiB },
        'the heap is too small for more than a few records: start with NODE_OPTIONS=--max-old-space-size=128 or more',
      )
    try {
      // It listens before the database has answered, so that a client learns why nothing is served yet.
      this.#url = await this.#server.listen(this.settings)
      this.#logger.info({ url: this.#url }, listeningText(this.settings.host, this.#url))
      const admitted = this.#readTokens()
      const loaded = this.live.start()
      // Whichever ends first: a refusal by either ends the start.
      await Promise.race([loaded, admitted])
      await loaded
      if (this.live.status.snapshotAt === undefined && !this.#stopping) await admitted
      else void admitted.catch((err: unknown) => this.#logger.error({ err }, 'access cannot be protected'))
    } catch (thrown) {
      await this.stop(0)
      throw thrown
    }
    if (this.#stopping) throw new CoordinatorError('COORD_SHUTTING_DOWN')
    this.archiver?.start()
    this.snapshotWriter?.start()
    if (this.live.store.durable) return
    this.#logger.warn(MEMORY_NOTICE)
    if (this.archiver !== undefined) this.#logger.info(MEMORY_ARCHIVED)
  }

  /** Reads the tokens as soon as the store is open, and again whenever another coordinator has changed them. */
  async #readTokens(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    let begun = false
    this.live.observe({
      access: (version) => {
        if (begun) this.access.versionSeen(version)
        else void this.access.start().then(resolve, reject)
        begun = true
      },
    })
    await promise
    if (this.#stopping) return
    if (!this.access.hasAdministrator) this.#logger.warn(NO_ADMINISTRATOR)
    const names = this.access.namesFromOpenTimes
    if (names.length > 0) this.#logger.warn({ tokens: names.slice(0, 20), count: names.length }, OPEN_TIMES)
  }

  /**
   * Stops in order: takes no new request, answers those that have arrived, stores what it accepted, closes the store.
   *
   * @param timeoutMs how long that may take; then the rest is cut off. @default SHUTDOWN_TIMEOUT_MS (10_000)
   */
  async stop(timeoutMs?: number): Promise<StopReport> {
    this.#stopping = true
    const report = await this.#server.stop(timeoutMs)
    this.access.stop()
    await this.graph.close()
    return report
  }
}
