import { once } from 'node:events'
import type { Server } from 'node:http'
import { Server as TlsServer } from 'node:tls'
import { CoordinatorError } from '../../errors.ts'
import { HANDSHAKE_TIMEOUT_MS } from './handshakes.ts'

export interface ListenerOptions {
  /** Whether it speaks HTTPS. */
  readonly tls: boolean
  /** How long a request may take to arrive, in milliseconds. */
  readonly requestTimeoutMs: number
  /** How long a TLS handshake may take, in milliseconds. @default 10_000 */
  readonly handshakeTimeoutMs?: number | undefined
}

/** The largest size of the request line and the headers, in bytes. */
const headMaxBytes = 16_384

/** The options of Fastify for the server of Node.js. */
export function listenerOptions(options: ListenerOptions): { http: object } | { https: object } {
  const { tls, requestTimeoutMs, handshakeTimeoutMs = HANDSHAKE_TIMEOUT_MS } = options
  const http = {
    maxHeaderSize: headMaxBytes,
    // The guard checks it, and answers with a problem.
    requireHostHeader: false,
    headersTimeout: requestTimeoutMs,
    connectionsCheckingInterval: Math.min(5_000, requestTimeoutMs),
  }
  return tls ? { https: { ...http, handshakeTimeout: handshakeTimeoutMs } } : { http }
}

/**
 * Listens.
 *
 * @param port 0 chooses a free one
 * @returns the URL of the server
 * @throws COORD_LISTEN_FAILED
 */
export async function listen(
  server: Server,
  address: { readonly host: string; readonly port: number },
): Promise<string> {
  try {
    server.listen(address)
    await once(server, 'listening')
  } catch (cause) {
    const { code = 'unknown cause' } = cause as NodeJS.ErrnoException
    throw new CoordinatorError('COORD_LISTEN_FAILED', {
      detail: `${address.host}:${address.port} cannot be listened on (${code}).`,
      cause,
    })
  }
  return urlOf(server, address.host)
}

/** Whether a server with this HOST listens on all addresses of its machine. */
function isEveryAddress(host: string): boolean {
  return host === '0.0.0.0' || host === '::'
}

/** Where a server listens, for people. @param url its URL from this machine */
export function listeningText(host: string, url: string): string {
  if (!isEveryAddress(host)) return `listening on ${url}`
  const { port, protocol } = new URL(url)
  return `listening on all addresses, port ${port || (protocol === 'https:' ? 443 : 80)}`
}

/** A server that listens on all addresses needs a specific address in its URL. */
function urlOf(server: Server, host: string): string {
  const bound = server.address()
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0
  const name = isEveryAddress(host) ? 'localhost' : host
  const scheme = server instanceof TlsServer ? 'https' : 'http'
  return `${scheme}://${name.includes(':') && !name.startsWith('[') ? `[${name}]` : name}:${port}`
}
