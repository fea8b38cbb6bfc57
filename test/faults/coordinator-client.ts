import { type Dispatcher, Pool } from 'undici'

export interface Call {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  /** Sent as JSON. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export interface Answer {
  readonly status: number
  readonly text: string
  readonly etag: string | undefined
  /** What `X-Coordinator-Revision` says; `undefined` where it is absent. */
  readonly shownRevision: number | undefined
  /** The body as JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: the tests say what they expect of it
  readonly body: any
}

/** Something that takes requests. */
export interface Sender {
  send(call: Call): Promise<Answer>
}

/** A request that has no answer: nobody knows what became of it. */
export class NoAnswer extends Error {}

/**
 * Talks to one coordinator over connections that stay open, as a service does that registers. It does not try anything twice:
 * a request that gets no answer throws `NoAnswer`.
 */
export class CoordinatorClient implements Sender {
  readonly #pool: Pool

  constructor(url: string, connections = 64, timeoutMs = 30_000) {
    this.#pool = new Pool(url, {
      connections,
      pipelining: 1,
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
    })
  }

  async send({ method = 'GET', path, body, headers = {} }: Call): Promise<Answer> {
    const exchanged = await this.#exchange({
      method,
      path,
      headers: body === undefined ? headers : { 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const type = String(exchanged.headers['content-type'] ?? '')
    return {
      status: exchanged.status,
      text: exchanged.text,
      etag: exchanged.headers['etag'] as string | undefined,
      shownRevision:
        exchanged.headers['x-coordinator-revision'] === undefined
          ? undefined
          : Number(exchanged.headers['x-coordinator-revision']),
      body: /[/+]json/.test(type) ? JSON.parse(exchanged.text) : undefined,
    }
  }

  get(path: string): Promise<Answer> {
    return this.send({ path })
  }

  async #exchange(request: Dispatcher.RequestOptions) {
    try {
      const { statusCode, headers, body } = await this.#pool.request(request)
      return { status: statusCode, headers, text: await body.text() }
    } catch (thrown) {
      throw new NoAnswer(`${request.method} ${request.path}`, { cause: thrown })
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.destroy()
  }
}
