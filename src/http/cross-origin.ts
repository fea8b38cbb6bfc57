import type { IncomingMessage, ServerResponse } from 'node:http'

/** Headers of answers that pages of allowed origins may read. */
const exposed =
  'Age, ETag, Location, Retry-After, X-Coordinator-Degraded, X-Coordinator-Lineage, X-Coordinator-Revision, X-Request-Id'
const methods = 'GET, HEAD, POST, PUT, PATCH, DELETE'
const requestHeaders =
  'Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, X-Coordinator-Actor, X-Coordinator-Lineage, X-Request-Id'
/** How long a browser need not ask again whether it may, in seconds. */
const preflightSeconds = '600'

/** What a browser says about the page that asks. */
export type Caller =
  /** No browser, or a page of the coordinator itself. */
  | 'own'
  /** A page of an origin in ALLOWED_ORIGINS. */
  | 'allowed'
  /** A page of elsewhere, which asks for something that such pages may not have. */
  | 'refused'

/** Which pages may ask what: those of the coordinator itself, those of allowed origins, and others only to look. */
export class CrossOrigin {
  readonly #allowed: ReadonlySet<string>

  /** @param allowed the setting ALLOWED_ORIGINS */
  constructor(allowed: readonly string[]) {
    this.#allowed = new Set(allowed)
  }

  /** Whether answers differ by origin: what keeps answers for others has to know. */
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
    // A link on a page of elsewhere may lead here. What such a page loads for itself, in a frame too, it gets not.
    const followsLink =
      reads(method) && headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document'
    return followsLink ? 'own' : 'refused'
  }
}

/** Only text is compared: a default port is written in neither, and behind a proxy with TLS the scheme is another. */
function isSame(origin: string, host: string | undefined): boolean {
  const [scheme, name] = origin.split('://', 2)
  return (scheme === 'http' || scheme === 'https') && name?.toLowerCase() === host?.toLowerCase()
}

function reads(method: string | undefined): boolean {
  return method === 'GET' || method === 'HEAD'
}

/** Makes whatever is answered carry these headers too: name, value, name, value. */
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

/** Whether a browser asks, before the request itself, whether it may send it. */
export function isPreflight({ method, headers }: IncomingMessage): boolean {
  return method === 'OPTIONS' && headers['access-control-request-method'] !== undefined
}

/** Answers that a page of an allowed origin may send what it wants to. */
export function allowPreflight(response: ServerResponse): void {
  response.writeHead(204, [
    ...['Access-Control-Allow-Methods', methods],
    ...['Access-Control-Allow-Headers', requestHeaders],
    ...['Access-Control-Max-Age', preflightSeconds],
    ...['X-Content-Type-Options', 'nosniff'],
  ])
  response.end()
}
