import { Pool } from 'undici'

export interface Call {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly path: string
  /** Sent as JSON. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export interface Answer {
  readonly status: number
  readonly text: string
  readonly etag: string | undefined
  /** The body as JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: the tests say what they expect of it
  readonly body: any
}

/**
 * Talks to one coordinator over connections that stay open, as a service does that registers. It does not try anything twice:
 * a request that gets no answer throws.
 */
export class CoordinatorClient {
  readonly #pool: Pool

  constructor(url: string, connections = 64) {
    this.#pool = new Pool(url, { connections, pipelining: 1, headersTimeout: 30_000, bodyTimeout: 30_000 })
  }

  async send({ method = 'GET', path, body, headers = {} }: Call): Promise<Answer> {
    const response = await this.#pool.request({
      method,
      path,
      headers: body === undefined ? headers : { 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.body.text()
    const type = String(response.headers['content-type'] ?? '')
    return {
      status: response.statusCode,
      text,
      etag: response.headers['etag'] as string | undefined,
      body: /[/+]json/.test(type) ? JSON.parse(text) : undefined,
    }
  }

  get(path: string): Promise<Answer> {
    return this.send({ path })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.destroy()
  }
}
