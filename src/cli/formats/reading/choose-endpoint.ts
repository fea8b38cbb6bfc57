import type { Reference } from './find-references.ts'
import { withoutSecrets } from './is-secret.ts'
import { knownImage, schemeOfPort, schemeOfWord } from './known-transports.ts'
import { parseImage } from './parse-image.ts'

/** A port on which a container listens. */
export interface ContainerPort {
  readonly port: number
  /** What the file says that the port speaks. */
  readonly scheme?: string | undefined
  readonly isUdp?: boolean
}

/** What a file says about how a container is reached. */
export interface Container {
  /** Its name in the network. */
  readonly host: string
  readonly image?: string | undefined
  /** The ports that the file lists. Containers of a network also reach all others. */
  readonly ports: readonly ContainerPort[]
  /** How other containers of the file call it. */
  readonly calls: readonly Reference[]
  /** A port that the check of its health asks. */
  readonly healthPort?: number | undefined
}

/**
 * The URL under which other containers of the network reach a container: the usual port of a well-known image, else the first port that the
 * file lists, else the port that others call, else the one of the health check. Without any port, it is `tcp://` and the name.
 */
export function chooseEndpoint({ host, image, ports, calls, healthPort }: Container): string {
  const known = image === undefined ? undefined : knownImage(parseImage(image).name)
  const first = ports.find(({ isUdp }) => isUdp !== true) ?? ports[0]
  if (known !== undefined) {
    const usual = new Set([known.port, ...(known.others ?? [])])
    // A list of ports says what is published. A database with a port of its own lists only that one.
    const moved = ports.some(({ port }) => port === known.port)
      ? undefined
      : ports.find(({ port }) => !usual.has(port))
    return `${known.scheme}://${host}:${moved?.port ?? known.port}`
  }
  const port = first?.port ?? calls.find((call) => call.port !== undefined)?.port ?? healthPort
  if (port === undefined) return `tcp://${host}`
  return `${first?.scheme ?? (first?.isUdp === true ? 'udp' : schemeOfCalls(calls, port))}://${host}:${port}`
}

function schemeOfCalls(calls: readonly Reference[], port: number): string {
  for (const { scheme, port: called } of calls) {
    const known = scheme !== undefined && called === port ? schemeOfWord(scheme) : undefined
    if (known !== undefined) return known
  }
  return schemeOfPort(port)
}

const webSchemes = /^(?:https?|wss?):/

/**
 * What tells that a service works: what the file says, else a connection to the endpoint. `undefined` where the path that the coordinator
 * takes by default may be right.
 */
export function chooseHealthCheck(endpoint: string, check: HealthCheck | undefined): string | undefined {
  const isWeb = webSchemes.test(endpoint)
  if (check === undefined) return isWeb ? undefined : endpoint.replace(/^(?!udp)[^:]+/, 'tcp')
  const { port } = check
  const path = withoutSecrets(check.path)
  const [, host, own] = /^[^:]+:\/\/(.+?)(?::(\d+))?$/.exec(endpoint) ?? []
  if (isWeb && (port === undefined || String(port) === own)) return path
  return `http://${host}${port === undefined ? '' : `:${port}`}${path}`
}

/** A request over HTTP that a container answers while it works. */
export interface HealthCheck {
  readonly port?: number | undefined
  readonly path: string
}

/** The request in the command of a health check, such as `curl -f http://localhost:8080/health`. */
export function findHealthCheck(command: string, host: string): HealthCheck | undefined {
  for (const [, url, name = '', port, path = ''] of command.slice(0, 10_000).matchAll(ownAddress)) {
    if (url === undefined && path === '') continue
    if (!loopback.test(name) && name !== host) continue
    return { port: port === undefined ? undefined : Number(port), path: path === '' ? '/' : path }
  }
  return undefined
}

const loopback = /^(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\])$/i
const ownAddress = /(https?:\/\/)?([a-z0-9_][a-z0-9_.-]*|\[::1?\])(?::(\d{1,5}))?(\/[^\s'"`|;&)<>\\]*)?/gi
