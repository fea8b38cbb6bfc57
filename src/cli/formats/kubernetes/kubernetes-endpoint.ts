import type { JsonObject } from '../../../records/canonical-json.ts'
import type { HealthCheck } from '../reading/choose-endpoint.ts'
import { listOf, mapOf, portOf, wordOf } from '../reading/file-value.ts'
import { KNOWN_PORTS, knownImage, schemeOfWord } from '../reading/known-transports.ts'
import { parseImage } from '../reading/parse-image.ts'
import type { KubernetesObject, Pod } from './kubernetes-object.ts'

/** The port of a Service that clients use. */
export interface ServicePort {
  readonly port: number
  /** The port of the container that it leads to. */
  readonly target: number
  readonly scheme: string
}

/** The container that does the work of a pod: the one that an annotation names, or the first one. */
export function mainContainer({ spec, annotations }: Pod): JsonObject {
  const containers = listOf(spec['containers']).map(mapOf)
  const named = annotations.get('kubectl.kubernetes.io/default-container')
  return containers.find(({ name }) => wordOf(name) === named) ?? (containers[0] as JsonObject)
}

/** All containers of a pod, also those that prepare it. */
export function allContainers({ spec }: Pod): readonly JsonObject[] {
  return [...listOf(spec['initContainers']), ...listOf(spec['containers'])].map(mapOf)
}

/**
 * The port by which a Service is used: the one that leads to the usual port of a well-known image, else the first one.
 *
 * @param called the scheme with which others call a port of the Service
 */
export function mainPort(
  service: KubernetesObject,
  container: JsonObject | undefined,
  called: (port: number) => string | undefined,
): ServicePort | undefined {
  const image = container && wordOf(container['image'])
  const known = image === undefined ? undefined : knownImage(parseImage(image).name)
  const ports = listOf(service.spec['ports']).map(mapOf)
  const read = ports.flatMap((port) => servicePort(port, container, called) ?? [])
  const usual = read.find(({ target }) => target === known?.port)
  if (known !== undefined && usual !== undefined) return { ...usual, scheme: known.scheme }
  return read.find(({ scheme }) => scheme !== 'udp') ?? read[0]
}

function servicePort(
  source: JsonObject,
  container: JsonObject | undefined,
  called: (port: number) => string | undefined,
): ServicePort | undefined {
  const port = portOf(source['port'])
  if (port === undefined) return undefined
  const target = containerPort(source['targetPort'] ?? port, container) ?? port
  if (wordOf(source['protocol'])?.toUpperCase() === 'UDP') return { port, target, scheme: 'udp' }
  const said = saidScheme(source, container)
  const usual = KNOWN_PORTS.get(target) ?? KNOWN_PORTS.get(port)
  // `tcp` says less than the table does.
  const scheme = said === undefined || said === 'tcp' ? (usual ?? said) : said
  if (scheme !== undefined) return { port, target, scheme }
  return { port, target, scheme: isGrpcProbe(container, target) ? 'grpc' : (called(port) ?? 'http') }
}

/** What a port says about itself: `appProtocol`, or its name, as in `grpc-web` or `http-metrics`. */
function saidScheme(source: JsonObject, container: JsonObject | undefined): string | undefined {
  const names = [wordOf(source['name']), wordOf(source['targetPort']), nameOfPort(source, container)]
  for (const word of [wordOf(source['appProtocol']), ...names]) {
    const scheme = word && (schemeOfWord(word) ?? schemeOfWord(word.split('-')[0] as string))
    if (scheme !== undefined && scheme !== '') return scheme
  }
  return undefined
}

function nameOfPort(source: JsonObject, container: JsonObject | undefined): string | undefined {
  const target = portOf(source['targetPort']) ?? portOf(source['port'])
  const port = portsOf(container).find(({ containerPort }) => portOf(containerPort) === target)
  return port && wordOf(port['name'])
}

function portsOf(container: JsonObject | undefined): readonly JsonObject[] {
  return listOf(container?.['ports']).map(mapOf)
}

/** A port of a container by its number or its name. */
function containerPort(value: JsonObject[string], container: JsonObject | undefined): number | undefined {
  const number = portOf(value)
  if (number !== undefined) return number
  const word = wordOf(value)
  const port = portsOf(container).find(({ name }) => word !== undefined && wordOf(name) === word)
  return port && portOf(port['containerPort'])
}

const probes = ['readinessProbe', 'livenessProbe', 'startupProbe']

function isGrpcProbe(container: JsonObject | undefined, target: number): boolean {
  return probes.some((probe) => portOf(mapOf(mapOf(container?.[probe])['grpc'])['port']) === target)
}

/** The request over HTTP by which Kubernetes finds out whether a container works. */
export function findProbe(container: JsonObject, main: ServicePort | undefined): HealthCheck | undefined {
  for (const probe of probes) {
    const request = mapOf(mapOf(container[probe])['httpGet'])
    const asked = request['port'] === undefined ? undefined : containerPort(request['port'], container)
    if (asked === undefined) continue
    const path = wordOf(request['path']) ?? '/'
    return {
      port: asked === main?.target ? main.port : asked,
      path: path.startsWith('/') ? path : `/${path}`,
    }
  }
  return undefined
}
