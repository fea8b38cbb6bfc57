import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { CoordinatorError } from '../../errors.ts'
import type { Logger } from '../../telemetry/logging.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import { descriptorLimit, descriptorsForClients } from './descriptor-limit.ts'
import { answerAndEnd } from './refuse-connection.ts'

export interface ConnectionLimitOptions {
  /** CONNECTIONS_MAX */
  readonly max: number
  readonly metrics: Metrics
  readonly log: Logger
  /** How many descriptors the process may have. @default the limit of the system */
  readonly descriptors?: number | undefined
}

/** How many refused connections get an answer at the same time. Further ones are closed at once, because each needs a descriptor. */
const toldMax = 64
/** How long nothing is logged after a refusal was reported, in milliseconds. */
const quietMs = 10_000

/**
 * Limits the number of connections to CONNECTIONS_MAX, or to fewer if the database would have no descriptors left. Without them the
 * coordinator can neither store nor answer.
 */
export function limitConnections(server: Server, options: ConnectionLimitOptions): void {
  const { metrics, log } = options
  const descriptors = options.descriptors ?? descriptorLimit()
  const forClients = descriptors === undefined ? options.max : descriptorsForClients(descriptors)
  const max = Math.min(options.max, forClients)
  if (max < options.max)
    log.warn(
      { descriptors, connectionsMax: max },
      `the limit of open files leaves room for ${max} connections of clients, fewer than CONNECTIONS_MAX: raise the limit (ulimit -n, or LimitNOFILE of systemd), or lower CONNECTIONS_MAX`,
    )
  const report = new RareReport(log)
  const serve = server.listeners('connection') as ((socket: Socket) => void)[]
  let open = 0
  let told = 0
  metrics.ask({ clientConnections: () => open, clientConnectionsMax: () => max })
  server.removeAllListeners('connection')
  server.on('connection', (socket: Socket) => {
    if (open < max) {
      open += 1
      socket.once('close', () => {
        open -= 1
      })
      for (const listener of serve) listener.call(server, socket)
      return
    }
    metrics.http.connectionRefused('limit')
    report.say(
      { connectionsMax: max },
      'connections are refused: as many are open as CONNECTIONS_MAX and the limit of open files allow',
    )
    socket.on('error', () => undefined)
    if (told >= toldMax) {
      socket.destroy()
      return
    }
    told += 1
    socket.once('close', () => {
      told -= 1
    })
    answerAndEnd(new CoordinatorError('COORD_CONNECTIONS_FULL'), socket, metrics)
  })
  // A connection that cannot be accepted (EMFILE, ENFILE) is an error event of the server. Without a listener it would end the process.
  server.on('error', (error: NodeJS.ErrnoException) => {
    if (!server.listening) return
    metrics.http.connectionRefused('system')
    report.say({ code: error.code }, 'the system does not let the coordinator accept a connection')
  })
}

/** Logs a message at most once in a while, with the number of its occurrences since then. */
class RareReport {
  readonly #log: Logger
  #saidAt = Number.NEGATIVE_INFINITY
  #times = 0

  constructor(log: Logger) {
    this.#log = log
  }

  say(members: object, message: string): void {
    this.#times += 1
    const now = performance.now()
    if (now - this.#saidAt < quietMs) return
    this.#log.warn({ ...members, times: this.#times }, message)
    this.#saidAt = now
    this.#times = 0
  }
}
