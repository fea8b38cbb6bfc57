import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

export interface StubRequest {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

export interface StubReply {
  /** @default 200 */
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** @default the head of an empty store */
  readonly body?: string
  /** How long the answer takes to begin, in milliseconds. @default 0 */
  readonly delayMs?: number
  /** Whether the body goes on without end, blank after blank, behind headers that come at once. @default false */
  readonly endless?: boolean
}

const lineage = '11111111-2222-4333-8444-555555555555'

/** What the function `head` answers on an empty schema that is up to date. */
export const emptyHead = {
  status: 'ok',
  lineage,
  revision: 0,
  digest: lineage,
  floor: 0,
  at: 1_700_000_000_000,
  schema: 1_000,
  accessVersion: 'a',
  ancestors: [],
}

/** A server that answers as it is told, and remembers what it was asked: for what a real Data API cannot be made to say. */
export class DataApiStub {
  readonly requests: StubRequest[] = []
  /** How many connections were made to it. */
  connections = 0
  /** What the next requests get. */
  reply: (request: StubRequest) => StubReply = () => ({})
  readonly #server: Server
  readonly url: string

  private constructor(server: Server) {
    this.#server = server
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  static async start(): Promise<DataApiStub> {
    let stub: DataApiStub | undefined
    const server = createServer(async (request, response) => {
      let body = ''
      for await (const chunk of request.setEncoding('utf8')) body += chunk
      const asked = {
        method: request.method ?? '',
        path: request.url ?? '',
        headers: request.headers,
        body,
      }
      stub?.requests.push(asked)
      const answer = stub?.reply(asked) ?? {}
      if (answer.delayMs !== undefined) await sleep(answer.delayMs)
      response.writeHead(answer.status ?? 200, { 'content-type': 'application/json', ...answer.headers })
      if (answer.endless === true) trickle(response)
      else response.end(answer.body ?? JSON.stringify(emptyHead))
    })
    // As gateways do. After the usual 5 s a client that had no time to notice would send into a closed connection.
    server.keepAliveTimeout = 75_000
    server.on('connection', () => {
      if (stub !== undefined) stub.connections += 1
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    stub = new DataApiStub(server)
    return stub
  }

  get port(): number {
    return Number(new URL(this.url).port)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }
}

function trickle(response: ServerResponse): void {
  response.flushHeaders()
  const timer = setInterval(() => response.write(' '), 20)
  response.on('close', () => clearInterval(timer))
}
