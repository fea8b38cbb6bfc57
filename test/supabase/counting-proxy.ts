import { once } from 'node:events'
import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What has gone through a proxy. */
export interface Traffic {
  /** Requests by the last part of their path. */
  readonly requests: Readonly<Record<string, number>>
  readonly total: number
  /** Bytes of all answers, with their headers: what leaves the project. */
  readonly answerBytes: number
}

/** An HTTP proxy that counts what a coordinator asks its Data API. */
export class CountingProxy {
  readonly #server: Server
  readonly #requests = new Map<string, number>()
  #answerBytes = 0

  private constructor(targetUrl: string) {
    this.#server = createServer((incoming, outgoing) => {
      const name = incoming.url?.split(/[/?]/).findLast((part) => part !== '') ?? ''
      this.#requests.set(name, (this.#requests.get(name) ?? 0) + 1)
      const { method, headers } = incoming
      const passed = request(new URL(incoming.url ?? '/', targetUrl), { method, headers }, (answer) => {
        this.#answerBytes += answer.rawHeaders.reduce((sum, text) => sum + text.length + 2, 20)
        answer.on('data', (chunk: Buffer) => {
          this.#answerBytes += chunk.length
        })
        outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders)
        answer.pipe(outgoing)
      })
      passed.on('error', () => outgoing.destroy())
      incoming.pipe(passed)
    })
  }

  static async start(targetUrl: string): Promise<CountingProxy> {
    const proxy = new CountingProxy(targetUrl)
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** What has gone through since the last call. */
  take(): Traffic {
    const requests = Object.fromEntries([...this.#requests].toSorted())
    const total = [...this.#requests.values()].reduce((sum, count) => sum + count, 0)
    const traffic = { requests, total, answerBytes: this.#answerBytes }
    this.#requests.clear()
    this.#answerBytes = 0
    return traffic
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close()
    this.#server.closeAllConnections()
    await once(this.#server, 'close')
  }
}
