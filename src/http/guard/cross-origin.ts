import type { IncomingMessage, ServerResponse } from 'node:http'

/** Headers of answers that pages of allowed origins may read. */
const exposed =
  'Age, ETag, Location, Retry-After, WWW-Authenticate, X-Coordinator-Degraded, X-Coordinator-Lineage, X-Coordinator-Revision, X-Request-Id'
const methods = 'GET, HEAD, POST, PUT, PATCH, DELETE'
const requestHeaders =
  'Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, X-Coordinator-Actor, X-Coordinator-Lineage, X-Request-Id'
/** How long a browser may cache the answer to a preflight request, in seconds. */
const preflightSeconds = '600'

/** The origin of a request, according to the headers that browsers add. */
export type Caller =
  /** Not from a browser, or from a page of the coordinator itself. */
  | 'own'
  /** From a page of an origin in ALLOWED_ORIGINS. */
  | 'allowed'
  /** From a page of another origin, for something that such pages must not access. */
  | 'refused'

/** Decides which web pages may send which requests. */
export class CrossOrigin {
  readonly #allowed: ReadonlySet<string>

  /** @param allowed the setting ALLOWED_ORIGINS */
  constructor(allowed: readonly string[]) {
    this.#allowed = new Set(allowed)
  }

  /** Whether answers differ by origin. If they do, caches have to know it (`Vary`). */
  get varies(): boolean {
    return this.#allowed.size > 0
  }

  judge({ method, headers }: IncomingMessage): Caller {
    const { origin } = headers
    const site = headers['sec-fetch-site']
    if (origin === undefined && site === undefined) return 'own'
    if (origin !== undefined) {
      if (this.#allowed.has(origin)) return 'allowed'
      if (isSame(origin, headers.host)) return 'own'
      if (!reads(method)) return 'refused'
    }
    if (site !== 'cross-site') return 'own'
    // A page of another site may link to the coordinator. It may not embed anything of it, nor show it in a frame.
    const followsLink =
      reads(method) && headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document'
    return followsLink ? 'own' : 'refused'
  }
}

/**
 * Compares only names and ports. Browsers omit a default port from both headers, and behind a proxy with TLS the scheme of the page differs
 * from that of the request.
 */
function isSame(origin: string, host: string | undefined): boolean {
  const [scheme, name] = origin.split('://', 2)
  return (scheme === 'http' || scheme === 'https') && name?.toLowerCase() === host?.toLowerCase()
}

function reads(method: string | undefined): boolean {
  return method === 'GET' || method === 'HEAD'
}

/** Adds headers to the answer, whatever code sends it. They are a list: name, value, name, value. */
export function addToHead(response: ServerResponse, added: readonly string[]): void {
  const writeHead = response.writeHead as (...parts: unknown[]) => ServerResponse
  response.writeHead = (...parts: unknown[]) => {
    const last = parts.at(-1)
    if (Array.isArray(last)) return writeHead.apply(response, [...parts.slice(0, -1), [...last, ...added]])
    for (let at = 0; at < added.length; at += 2)
      response.appendHeader(added[at] as string, added[at + 1] as string)
    return writeHead.apply(response, parts)
  }
}

/** The headers that let a page of an allowed origin read the answer. */
export function allowingHeaders(origin: string): readonly string[] {
  return ['Access-Control-Allow-Origin', origin, 'Access-Control-Expose-Headers', exposed]
}

/** Whether this is a preflight: the browser asks whether it may send the real request. */
export function isPreflight({ method, headers }: IncomingMessage): boolean {
  return method === 'OPTIONS' && headers['access-control-request-method'] !== undefined
}

/** Answers a preflight: the page may send its request. */
export function allowPreflight(response: ServerResponse): void {
  response.writeHead(204, [
    ...['Access-Control-Allow-Methods', methods],
    ...['Access-Control-Allow-Headers', requestHeaders],
    ...['Access-Control-Max-Age', preflightSeconds],
    ...['X-Content-Type-Options', 'nosniff'],
  ])
  response.end()
}
