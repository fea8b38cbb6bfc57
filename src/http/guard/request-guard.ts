import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { AccessMode } from '../../access/access.ts'
import { CoordinatorError } from '../../errors.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import { countAnswer } from '../answering/count-answer.ts'
import { mustClose } from '../answering/must-close.ts'
import { PROBLEM_TYPE, problemText } from '../answering/problem.ts'
import { answerAndEnd } from '../lifecycle/refuse-connection.ts'
import type { RequestIds } from '../reading/request-ids.ts'
import { endWithConnection } from '../sending/queued-answers.ts'
import { AllowedHosts } from './allowed-hosts.ts'
import { addToHead, allowingHeaders, allowPreflight, CrossOrigin, isPreflight } from './cross-origin.ts'

export interface GuardOptions {
  /** HOST */
  readonly host: string
  /** ALLOWED_HOSTS */
  readonly allowedHosts: readonly string[]
  /** ALLOWED_ORIGINS */
  readonly allowedOrigins: readonly string[]
  /** Whether callers must prove who they are. */
  readonly accessMode: AccessMode
  /** Whether somebody without a credential may do more than look at public pages. */
  readonly servesStrangers: boolean
}

/**
 * Checks the headers Host and Origin of every request before any other code gets the request, whether or not its path exists. It answers
 * requests that it refuses, and those that no route could handle.
 *
 * Where everybody on this machine may do everything, it also refuses requests that a proxy has forwarded: they may come from anywhere.
 */
export class RequestGuard {
  /** `undefined` where a foreign name does no harm: without a credential nothing is shown, and browsers do not add one by themselves. */
  readonly #hosts: AllowedHosts | undefined
  readonly #refusesProxies: boolean
  /** Values of Host that are known to be allowed. Clients send the same few values again and again. */
  readonly #knownHosts = new Set<string>()
  readonly #origins: CrossOrigin
  readonly #metrics: Metrics
  readonly #requestIds: RequestIds

  constructor(
    { host, allowedHosts, allowedOrigins, accessMode, servesStrangers }: GuardOptions,
    about: { readonly metrics: Metrics; readonly requestIds: RequestIds },
  ) {
    const judgesHosts = servesStrangers || allowedHosts.length > 0
    this.#hosts = judgesHosts ? new AllowedHosts({ host, allowed: allowedHosts }) : undefined
    this.#refusesProxies = accessMode === 'open'
    this.#origins = new CrossOrigin(allowedOrigins)
    this.#metrics = about.metrics
    this.#requestIds = about.requestIds
  }

  /** Checks requests before the framework gets them. */
  protect(server: Server): void {
    const [serve, ...others] = server.listeners('request') as RequestListener[]
    if (serve === undefined || others.length > 0)
      throw new CoordinatorError('COORD_INTERNAL', {
        detail: 'The server must have one listener of requests.',
      })
    server.removeAllListeners('request')
    server.on('request', (request, response) => {
      if (this.#admits(request, response)) serve.call(server, request, response)
    })
    // By default, Node sends `100 Continue` before any listener can refuse the request.
    server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
      // The request is routed first, and then told to continue if its caller may send it.
      if (this.#admits(request, response)) serve.call(server, request, response)
    })
    server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
      if (this.#admits(request, response))
        this.#refuse(request, response, new CoordinatorError('COORD_EXPECTATION_UNKNOWN'))
    })
    server.on('connect', (request: IncomingMessage, socket: Socket) => {
      const error = this.#hostFault(request) ?? this.#proxyFault(request) ?? connectRefused()
      answerAndEnd(error, socket, this.#metrics)
    })
  }

  #admits(request: IncomingMessage, response: ServerResponse): boolean {
    // Without a socket, an earlier request of the same connection still has no answer.
    if (response.socket === null) endWithConnection(request, response)
    const fault = this.#hostFault(request) ?? this.#proxyFault(request) ?? targetFault(request)
    if (fault !== undefined) return this.#refuse(request, response, fault)
    const { origin } = request.headers
    const isFromBrowser = origin !== undefined || request.headers['sec-fetch-site'] !== undefined
    const caller = isFromBrowser ? this.#origins.judge(request) : 'own'
    if (caller === 'refused') return this.#refuse(request, response, originRefused(request))
    if (!this.#origins.varies) return true
    if (caller !== 'allowed' || origin === undefined) {
      addToHead(response, ['Vary', 'Origin'])
      return true
    }
    addToHead(response, ['Vary', 'Origin', ...allowingHeaders(origin)])
    if (!isPreflight(request)) return true
    allowPreflight(response)
    countAnswer(this.#metrics, 204)
    return false
  }

  #hostFault({ headers, httpVersion, rawHeaders, url = '' }: IncomingMessage): CoordinatorError | undefined {
    const { host, origin } = headers
    // The authority in the target takes precedence over `Host`: RFC 9112, 3.2.2.
    const target = url.startsWith('/') ? undefined : absoluteForm.exec(url)?.[1]
    if (target !== undefined && !this.#allows(target)) return hostRefused(target)
    if (host !== undefined && countHosts(rawHeaders) > 1)
      return new CoordinatorError('COORD_REQUEST_MALFORMED', {
        detail: 'The request has more than one Host.',
      })
    if (host !== undefined) return this.#allows(host) ? undefined : hostRefused(host)
    // HTTP/1.0 has no Host. Old health checks use it and are served. Browsers never use it.
    if (httpVersion !== '1.0')
      return new CoordinatorError('COORD_REQUEST_MALFORMED', { detail: 'The request has no header Host.' })
    return origin === undefined && headers['sec-fetch-site'] === undefined ? undefined : hostRefused('')
  }

  #proxyFault({ rawHeaders }: IncomingMessage): CoordinatorError | undefined {
    if (!this.#refusesProxies) return undefined
    const header = forwardingHeader(rawHeaders)
    return header === undefined ? undefined : proxyRefused(header)
  }

  #allows(host: string): boolean {
    if (this.#hosts === undefined || this.#knownHosts.has(host)) return true
    if (!this.#hosts.allows(host)) return false
    if (this.#knownHosts.size >= knownHostsMax) this.#knownHosts.clear()
    this.#knownHosts.add(host)
    return true
  }

  #refuse(request: IncomingMessage, response: ServerResponse, error: CoordinatorError): false {
    const id = this.#requestIds(request.headers['x-request-id'])
    const body = problemText(error, { method: request.method, id })
    response.writeHead(error.status, [
      ...['X-Request-Id', id],
      ...['Content-Type', PROBLEM_TYPE, 'Content-Length', String(Buffer.byteLength(body))],
      ...['X-Content-Type-Options', 'nosniff'],
      ...(this.#origins.varies ? ['Vary', 'Origin'] : []),
      ...(mustClose(request) || error.status === 400 ? ['Connection', 'close'] : []),
    ])
    response.end(body)
    countAnswer(this.#metrics, error.status)
    return false
  }
}

const knownHostsMax = 1_000
const forwarding = /^(?:forwarded|via|x-real-ip|x-forwarded-.*)$/i

/** The form of the target that clients send to proxies, with an authority. */
const absoluteForm = /^[a-z][a-z\d+.-]*:\/\/([^/?#]*)/i

/** Counts the headers `Host`. If there are several, Node.js returns the first, but a proxy in front may have used the last. */
function countHosts(rawHeaders: readonly string[]): number {
  let count = 0
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string
    if (name.length === 4 && name.toLowerCase() === 'host') count += 1
  }
  return count
}

/** A target has no fragment (RFC 9112, 3.2). The router would read it as a query string, and others would not. */
function targetFault({ url = '' }: IncomingMessage): CoordinatorError | undefined {
  if (!url.includes('#')) return undefined
  return new CoordinatorError('COORD_REQUEST_MALFORMED', {
    detail: 'The target of the request has a fragment, which begins with `#`.',
    hint: 'Write `#` as `%23` where it belongs to a name or a value.',
    outcome: 'not_written',
  })
}

/** The name of a header that only proxies add; `undefined` if there is none. */
function forwardingHeader(rawHeaders: readonly string[]): string | undefined {
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string
    // Most requests have no header that begins with one of these letters.
    const first = name.charCodeAt(0) | 0x20
    if ((first === 0x66 || first === 0x76 || first === 0x78) && forwarding.test(name)) return name
  }
  return undefined
}

function proxyRefused(header: string): CoordinatorError {
  return new CoordinatorError('COORD_PROXY_NEEDS_AUTH', {
    detail: `The request has the header ${shown(header)}: a proxy makes a coordinator reachable that serves everybody on this machine without authentication.`,
    outcome: 'not_written',
  })
}

function hostRefused(host: string): CoordinatorError {
  return new CoordinatorError('COORD_HOST_NOT_ALLOWED', {
    detail:
      host === ''
        ? 'The request has no header Host.'
        : `The header Host is ${shown(host)}, which is not an allowed name of this coordinator.`,
    outcome: 'not_written',
  })
}

function originRefused({ headers }: IncomingMessage): CoordinatorError {
  const { origin } = headers
  return new CoordinatorError('COORD_ORIGIN_NOT_ALLOWED', {
    detail:
      origin === undefined
        ? 'The request comes from a web page of another site.'
        : `The request comes from a web page of ${shown(origin)}, which is another origin.`,
    outcome: 'not_written',
  })
}

function connectRefused(): CoordinatorError {
  return new CoordinatorError('COORD_METHOD_NOT_ALLOWED', {
    detail: 'CONNECT is for proxies, and the coordinator is not one.',
    hint: 'Correct the proxy settings of the client: they name the coordinator as a proxy.',
    extra: { allow: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] },
  })
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 200).toWellFormed())
}
