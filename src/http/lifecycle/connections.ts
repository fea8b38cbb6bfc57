import type { Server } from 'node:http'
import { Server as NetServer, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { Server as TlsServer } from 'node:tls'
import { CoordinatorError } from '../../errors.ts'
import type { Logger } from '../../telemetry/logging.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import type { ConnectionMemory } from '../client/connection-memory.ts'
import { descriptorLimit, descriptorsForClients } from './descriptor-limit.ts'
import { Handshakes } from './handshakes.ts'
import { RareReport } from './rare-report.ts'
import { answerAndEnd, hasResponse } from './refuse-connection.ts'

export interface ConnectionOptions {
  /** CONNECTIONS_MAX */
  readonly max: number
  readonly memory: ConnectionMemory
  readonly metrics: Metrics
  readonly log: Logger
}

/** How many refused connections get an answer at the same time. Further ones are closed at once, because each needs a descriptor. */
const toldMax = 64
const lookMs = 20

/**
 * The open connections of a server. There are at most CONNECTIONS_MAX, or fewer if the database would have no descriptors left.
 * Without descriptors for the database, the coordinator can neither store nor answer.
 */
export class Connections {
  readonly #server: Server
  readonly #max: number
  readonly #metrics: Metrics
  readonly #report: RareReport
  readonly #sockets = new Set<Socket>()
  /** Only with TLS. */
  readonly #handshakes: Handshakes | undefined
  #told = 0

  constructor(server: Server, { max, memory, metrics, log }: ConnectionOptions) {
    this.#server = server
    this.#metrics = metrics
    this.#report = new RareReport(log)
    this.#handshakes = server instanceof TlsServer ? new Handshakes(server, { metrics, log }) : undefined
    const descriptors = descriptorLimit()
    this.#max = Math.min(max, descriptors === undefined ? max : descriptorsForClients(descriptors))
    if (this.#max < max)
      log.warn(
        { descriptors, connectionsMax: this.#max },
        `the limit of open files leaves room for ${this.#max} connections of clients, fewer than CONNECTIONS_MAX: raise the limit (ulimit -n, or LimitNOFILE of systemd), or lower CONNECTIONS_MAX`,
      )
    metrics.ask({ clientConnections: () => this.count, clientConnectionsMax: () => this.#max })
    const serve = server.listeners('connection') as ((socket: Socket) => void)[]
    server.removeAllListeners('connection')
    server.on('connection', (socket: Socket) => {
      if (this.count >= this.#max) return this.#refuse(socket, 'limit')
      if (!memory.takeConnection()) return this.#refuse(socket, 'memory')
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
      this.#handshakes?.begin(socket)
      for (const listener of serve) listener.call(server, socket)
    })
    // A connection that cannot be accepted (EMFILE, ENFILE) is an error event of the server. Without a listener it would end the process.
    server.on('error', (error: NodeJS.ErrnoException) => {
      if (!server.listening) return
      metrics.http.connectionRefused('system')
      this.#report.say({ code: error.code }, 'the system does not let the coordinator accept a connection')
    })
  }

  get count(): number {
    return this.#sockets.size
  }

  /** The sockets that requests come from. With TLS, they are others than those that were accepted. */
  get #talking(): ReadonlySet<Socket> {
    return this.#handshakes?.secure ?? this.#sockets
  }

  #refuse(socket: Socket, reason: 'limit' | 'memory'): void {
    this.#metrics.http.connectionRefused(reason)
    this.#report.say(
      { connections: this.count, connectionsMax: this.#max },
      reason === 'limit'
        ? 'connections are refused: as many are open as CONNECTIONS_MAX and the limit of open files allow'
        : 'connections are refused: the coordinator has no memory left for more',
    )
    socket.on('error', () => undefined)
    // A client of TLS does not understand an answer before the handshake, which would cost more than the answer.
    if (this.#told >= toldMax || this.#handshakes !== undefined) {
      socket.destroy()
      return
    }
    this.#told += 1
    socket.once('close', () => {
      this.#told -= 1
    })
    answerAndEnd(new CoordinatorError('COORD_CONNECTIONS_FULL'), socket, this.#metrics)
  }

  /** Only stops listening. The server's own `close` would cut connections that are about to be used. */
  refuseNew(): void {
    if (this.#server.listening) NetServer.prototype.close.call(this.#server)
  }

  /**
   * Answers requests that the server refuses while it stops: on connections where a request has begun to arrive but has no response yet.
   */
  refuseHeads(): void {
    this.#closeResting()
    this.#handshakes?.endUnfinished()
    const error = new CoordinatorError('COORD_SHUTTING_DOWN', { outcome: 'not_written' })
    for (const socket of this.#talking)
      if (!socket.destroyed && !hasResponse(socket)) answerAndEnd(error, socket, this.#metrics)
  }

  /**
   * Waits until every connection has ended, or the time is over.
   *
   * @param restMs how long idle connections stay open, so that a busy client can send one more request, and is told to close
   */
  async drained(timeoutMs: number, restMs: number): Promise<void> {
    const started = performance.now()
    for (;;) {
      const waited = performance.now() - started
      if (waited >= restMs) this.#closeResting()
      if (this.#sockets.size === 0 || waited >= timeoutMs) return
      await pause(Math.min(lookMs, timeoutMs - waited))
    }
  }

  /** Closes all remaining connections. @returns how many requests that cut off */
  cutOff(): number {
    this.#closeResting()
    const cut = [...this.#talking].filter((socket) => !socket.destroyed).length
    for (const socket of this.#sockets) socket.destroy()
    return cut
  }

  #closeResting(): void {
    this.#server.closeIdleConnections()
    // Node does not count a connection as idle if it never sent anything, because a request might be on its way.
    for (const socket of [...this.#talking, ...this.#sockets]) if (socket.bytesRead === 0) socket.destroy()
  }
}
