import { once } from 'node:events'
import {
  request as ask,
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import { freePort } from '../../support/free-port.ts'

/** Where a proxy has its coordinator. */
export interface Prefix {
  /** Such as `/tools/registry`. */
  readonly path: string
  /** Whether it removes the path before the coordinator gets the request. */
  readonly strips: boolean
}

/** A proxy before the coordinator: it has a prefix, can go away and come back, and notes nothing. */
export class Front {
  #target: number
  readonly #prefix: Prefix | undefined
  #server: Server | undefined
  #port: number | undefined

  constructor(target: number, prefix?: Prefix) {
    this.#target = target
    this.#prefix = prefix
  }

  /** The URL of the coordinator behind it, without a slash at its end. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}${this.#prefix?.path ?? ''}`
  }

  /** Begins to listen, on the same port as before. @param target the port of a coordinator that takes the place of the first one */
  async comeBack(target = this.#target): Promise<void> {
    this.#target = target
    this.#port ??= await freePort()
    this.#server = createServer((request, response) => this.#pass(request, response))
    this.#server.listen(this.#port, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  /** Ends all connections, and listens no more. */
  async goAway(): Promise<void> {
    const server = this.#server
    if (server === undefined) return
    this.#server = undefined
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  }

  #pass(request: IncomingMessage, response: ServerResponse): void {
    const { method = 'GET', url = '/', headers } = request
    const path = this.#pathOf(url)
    if (path === undefined) {
      response.writeHead(502).end('This proxy has nothing at this path.')
      return
    }
    const passed = ask({ port: this.#target, host: '127.0.0.1', method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.rawHeaders)
      answer.pipe(response)
    })
    passed.on('error', () => response.destroy())
    response.on('close', () => passed.destroy())
    request.pipe(passed)
  }

  /** @returns `undefined` for what is outside of the prefix: a page must not ask for that */
  #pathOf(url: string): string | undefined {
    if (this.#prefix === undefined) return url
    const { path, strips } = this.#prefix
    if (!url.startsWith(`${path}/`)) return undefined
    return strips ? url.slice(path.length) : url
  }
}
