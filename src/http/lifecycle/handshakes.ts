import type { Socket } from 'node:net'
import type { Server, TLSSocket } from 'node:tls'
import type { Logger } from '../../telemetry/logging.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import { RareReport } from './rare-report.ts'

/** How long a TLS handshake may take, in milliseconds. */
export const HANDSHAKE_TIMEOUT_MS = 10_000

/**
 * The connections of a server with TLS. They begin with a handshake. Only then is there a socket that requests come from, and that answers
 * can be written to.
 */
export class Handshakes {
  /** Connections without a finished handshake, by their addresses: nothing else tells which socket a handshake belongs to. */
  readonly #unfinished = new Map<string, Socket>()
  readonly #secure = new Set<TLSSocket>()

  constructor(server: Server, { metrics, log }: { readonly metrics: Metrics; readonly log: Logger }) {
    // One for each message, or a frequent one would hide the others.
    const reports = new Map<string, RareReport>()
    server.prependListener('secureConnection', (socket) => {
      this.#unfinished.delete(addressesOf(socket))
      this.#secure.add(socket)
      socket.once('close', () => this.#secure.delete(socket))
    })
    // Node would take the fault for one of a request, and answer it without encryption.
    server.removeAllListeners('tlsClientError')
    server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
      socket.destroy()
      // Whoever only looks whether the port is open leaves without a word.
      if (error.code === 'ECONNRESET') return
      metrics.http.connectionRefused('tls')
      const advice = adviceOf(error)
      const report = reports.get(advice) ?? new RareReport(log)
      reports.set(advice, report)
      report.say({ code: error.code }, advice)
    })
  }

  /** The connections that requests can come from. */
  get secure(): ReadonlySet<Socket> {
    return this.#secure
  }

  /** A connection was accepted; its handshake follows. */
  begin(socket: Socket): void {
    const addresses = addressesOf(socket)
    this.#unfinished.set(addresses, socket)
    socket.once('close', () => {
      if (this.#unfinished.get(addresses) === socket) this.#unfinished.delete(addresses)
    })
  }

  /** Ends the connections whose handshake is not finished. */
  endUnfinished(): void {
    for (const socket of this.#unfinished.values()) socket.destroy()
  }
}

function addressesOf({ localAddress, localPort, remoteAddress, remotePort }: Socket): string {
  return `${localAddress} ${localPort} ${remoteAddress} ${remotePort}`
}

function adviceOf({ code }: NodeJS.ErrnoException): string {
  if (code === 'ERR_SSL_HTTP_REQUEST')
    return 'a client speaks HTTP to the port of HTTPS: give it a URL that begins with https://'
  if (code !== undefined && /_ALERT_(?:UNKNOWN_CA|BAD_CERTIFICATE|(?:UNSUPPORTED_)?CERTIFICATE_)/.test(code))
    return 'a client refuses the certificate: let it trust the authority of the certificate, and use a name that stands in it'
  return 'a TLS handshake failed'
}
