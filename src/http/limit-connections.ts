import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { CoordinatorError } from '../errors.ts'
import type { Logger } from '../telemetry/logging.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { descriptorLimit, descriptorsForClients } from './descriptor-limit.ts'
import { answerAndEnd } from './refuse-connection.ts'

export interface ConnectionLimitOptions {
  /** CONNECTIONS_MAX */
  readonly max: number
  readonly metrics: Metrics
  readonly log: Logger
  /** How many descriptors the process may have. @default what the system says */
  readonly descriptors?: number | undefined
}

/** So many refused connections are told why; more are ended at once, for each holds a descriptor meanwhile. */
const toldMax = 64
/** How often the log says it again, in milliseconds. */
const quietMs = 10_000

/**
 * Keeps the number of connections below what is set, and below what leaves descriptors for the database: a coordinator that has none
 * left can neither store nor answer.
 */
export function limitConnections(server: Server, options: ConnectionLimitOptions): void {
  const { metrics, log } = options
  const descriptors = options.descriptors ?? descriptorLimit()
  const forClients = descriptors === undefined ? options.max : descriptorsForClients(descriptors)
  const max = Math.min(options.max, forClients)
  if (max < options.max)
    log.warn(
      { descriptors, connectionsMax: max },
      `The limit of open files leaves room for ${max} connections, fewer than CONNECTIONS_MAX: raise it (ulimit -n, LimitNOFILE), or lower CONNECTIONS_MAX.`,
    )
  const report = new RareReport(log)
  const serve = server.listeners('connection') as ((socket: Socket) => void)[]
  let open = 0
  let told = 0
  metrics.incoming.ask({ connections: () => open, connectionsMax: () => max })
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
    metrics.incoming.connectionRefused('limit')
    report.say({ connectionsMax: max }, 'connections are refused: there are as many as there may be')
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
  // Not being able to take a connection (EMFILE, ENFILE) is an error of the server, and ends the process where nobody listens.
  server.on('error', (error: NodeJS.ErrnoException) => {
    if (!server.listening) return
    metrics.incoming.connectionRefused('system')
    report.say({ code: error.code }, 'connections cannot be taken')
  })
}

/** Says the same thing once in a while, and how often it has happened since. */
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
