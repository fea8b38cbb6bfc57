import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { OutgoingHttpHeaders } from 'node:http'
import { request } from 'node:https'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('certificates/', import.meta.url))

/** The path of a certificate or key for tests. */
export function testFile(name: string): string {
  return `${folder}${name}`
}

/** The authority of the certificates `web` and `renewed`. */
export const authority = readFileSync(testFile('web-authority.crt'), 'utf8')

export interface SecureReply {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  readonly body: any
  /** SHA-256 of the certificate that the server showed. */
  readonly certificate: string
}

/** Sends one request over a connection of its own. */
export async function askSecurely(
  url: string,
  {
    method = 'GET',
    json,
    headers = {},
  }: { method?: string; json?: unknown; headers?: OutgoingHttpHeaders } = {},
): Promise<SecureReply> {
  const body = json === undefined ? undefined : JSON.stringify(json)
  const type = body === undefined ? {} : { 'content-type': 'application/json' }
  const sent = request(url, { method, ca: authority, agent: false, headers: { ...type, ...headers } })
  sent.end(body)
  const [response] = await once(sent, 'response')
  const certificate = (response.socket as TLSSocket).getPeerCertificate().fingerprint256
  let text = ''
  for await (const chunk of response) text += chunk
  const isJson = (response.headers['content-type'] ?? '').includes('json')
  return { status: response.statusCode, body: isJson ? JSON.parse(text) : text, certificate }
}

/** A connection with a finished handshake. */
export async function connectSecurely(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ port, host: '127.0.0.1', ca: authority, ...options })
  await once(socket, 'secureConnect')
  socket.on('error', () => undefined)
  return socket
}

/** Everything that still comes, until the connection ends. */
export async function readToEnd(socket: TLSSocket): Promise<string> {
  let text = ''
  socket.on('data', (chunk: Buffer) => {
    text += chunk
  })
  if (!socket.closed) await once(socket, 'close')
  return text
}
