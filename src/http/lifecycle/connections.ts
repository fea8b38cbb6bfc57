import type { Server } from 'node:http'
import { Server as NetServer, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { CoordinatorError } from '../../errors.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import { answerAndEnd, hasResponse } from './refuse-connection.ts'

const lookMs = 20

/** The open connections of a server, to close them in order. */
export class Connections {
  readonly #server: Server
  readonly #metrics: Metrics
  readonly #sockets = new Set<Socket>()

  constructor(server: Server, metrics: Metrics) {
    this.#server = server
    this.#metrics = metrics
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
  }

  get count(): number {
    return this.#sockets.size
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
    for (const socket of this.#sockets)
      if (!socket.destroyed && !hasResponse(socket))
        answerAndEnd(
          new CoordinatorError('COORD_SHUTTING_DOWN', { outcome: 'not_written' }),
          socket,
          this.#metrics,
        )
  }

  /**
   * Waits until every connection has ended, or the time is over.
   *
   * @param restMs how long idle connections stay open, so that a busy client can send one more request, and is told to close
   */
  async drained({
    timeoutMs,
    restMs,
  }: {
    readonly timeoutMs: number
    readonly restMs: number
  }): Promise<void> {
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
    const cut = [...this.#sockets].filter((socket) => !socket.destroyed).length
    for (const socket of this.#sockets) socket.destroy()
    return cut
  }

  #closeResting(): void {
    this.#server.closeIdleConnections()
    // Node does not count a connection as idle if it never sent anything, because a request might be on its way.
    for (const socket of this.#sockets) if (socket.bytesRead === 0) socket.destroy()
  }
}
