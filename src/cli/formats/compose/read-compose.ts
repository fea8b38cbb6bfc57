import type { JsonObject } from '../../../records/canonical-json.ts'
import { LIMITS } from '../../../records/limits.ts'
import { DEFAULT_NAMESPACE } from '../../../records/service/namespace.ts'
import { chooseEndpoint, chooseHealthCheck } from '../reading/choose-endpoint.ts'
import { listOf, mapOf, wordOf } from '../reading/file-value.ts'
import { findReferences, namesAddress, type Reference } from '../reading/find-references.ts'
import type { ReadingBuilder } from '../reading/format-reading.ts'
import { schemeOfWord } from '../reading/known-transports.ts'
import { makeMetadata, someOf } from '../reading/make-metadata.ts'
import { Needs } from '../reading/needs.ts'
import { parseImage, UNVERSIONED } from '../reading/parse-image.ts'
import { readNamespace } from '../reading/read-namespace.ts'
import { type ComposeService, readComposeService } from './compose-service.ts'
import { extendServices } from './extend-services.ts'
import { VariableFiller } from './fill-variables.ts'
import type { Variables } from './interpolate.ts'

export interface ComposeOptions {
  /** Takes the place of the file's own namespace. */
  readonly namespace?: string | undefined
  readonly variables?: Variables | undefined
}

/** Reads a compose file: each service becomes a registration. */
export function readCompose(project: JsonObject, options: ComposeOptions, reading: ReadingBuilder): void {
  const filler = new VariableFiller(options.variables ?? {}, reading)
  sayWhatIsElsewhere(project, filler, reading)
  const services = [...extendServices(mapOf(project['services']), reading)].map(([name, service]) =>
    readComposeService(name, service, filler),
  )
  const calls = findCalls(services, filler)
  const projectName = filler.valueOf('COMPOSE_PROJECT_NAME') ?? filler.fill(project['name'], 'name')
  const namespace = options.namespace ?? readNamespace(projectName)
  for (const service of services) {
    const { name, image, ports, health } = service
    const where = `services.${name}`
    const { needs = new Needs(), received = [] } = calls.get(name) ?? {}
    const healthPort = health && (health.port ?? 80)
    const endpoint = chooseEndpoint({ host: name, image, ports, calls: received, healthPort })
    const healthCheck = chooseHealthCheck(endpoint, health)
    reading.addService(where, {
      serviceName: name,
      instanceId: name,
      version: versionOf(service, filler),
      endpoint,
      ...(healthCheck !== undefined && { healthCheck }),
      ...(namespace !== DEFAULT_NAMESPACE && { namespace }),
      metadata: makeMetadata(ownMetadata(service), service.labels, { where: `${where}.labels`, reading }),
      tags: [...new Set(service.profiles)].slice(0, LIMITS.tags),
      dependencies: needs.list(name, where, reading),
    })
  }
  filler.report()
}

/** Other files that a compose file names are not read. */
function sayWhatIsElsewhere(project: JsonObject, filler: VariableFiller, reading: ReadingBuilder): void {
  for (const include of [project['include'] ?? []].flat()) {
    const paths = [mapOf(include)['path'] ?? include].flat()
    const shown = paths.flatMap((path) => filler.fill(path, 'include') ?? []).join(', ')
    reading.cannotKnow('include', `other files are not read: import ${shown} as well`)
  }
  const users = new Map<string, string[]>()
  for (const [name, service] of Object.entries(mapOf(project['services']))) {
    for (const file of [mapOf(service)['env_file'] ?? []].flat()) {
      const path = wordOf(mapOf(file)['path'] ?? file)
      if (path === undefined) continue
      const names = users.get(path) ?? []
      names.push(name)
      users.set(path, names)
    }
    for (const link of listOf(mapOf(service)['external_links']))
      reading.cannotKnow(
        `services.${name}.external_links`,
        `${wordOf(link)} is a container outside of this file`,
      )
  }
  for (const [path, names] of users)
    reading.cannotKnow(
      `env_file ${path}`,
      `it is not read: addresses in it add no dependencies to ${someOf(names)}`,
    )
}

function versionOf({ name, image }: ComposeService, filler: VariableFiller): string {
  const isMissing = filler.isMissing(`services.${name}.image`)
  if (image === undefined) return UNVERSIONED
  const { tag, digest } = parseImage(image)
  return tag ?? digest ?? (isMissing ? UNVERSIONED : 'latest')
}

function ownMetadata({ image, published, containerName, hostname }: ComposeService): JsonObject {
  return {
    ...(image !== undefined && { image }),
    ...(published.length > 0 && { ports: published.slice(0, 64) }),
    ...(containerName !== undefined && { containerName }),
    ...(hostname !== undefined && { hostname }),
  }
}

interface Calls {
  readonly needs: Needs
  /** How others call the service, as far as they name a port. */
  readonly received: Reference[]
}

/** Who needs whom: what the services say, and the addresses of others in their settings. */
function findCalls(services: readonly ComposeService[], filler: VariableFiller): ReadonlyMap<string, Calls> {
  const hosts = hostsOf(services)
  const calls = new Map<string, Calls>(
    services.map(({ name }) => [name, { needs: new Needs(), received: [] }]),
  )
  for (const { name, needs: stated, links, settings } of services) {
    const { needs } = calls.get(name) as Calls
    for (const serviceName of stated) needs.add({ serviceName })
    for (const setting of settings) {
      let isKnown = false
      for (const reference of findReferences(setting)) {
        const host = reference.host.toLowerCase()
        const serviceName = links.get(host) ?? hosts.get(host)
        if (serviceName === undefined) continue
        isKnown = true
        needs.add({ serviceName, type: reference.scheme && schemeOfWord(reference.scheme) })
        if (serviceName !== name && reference.port !== undefined)
          calls.get(serviceName)?.received.push(reference)
      }
      if (!isKnown && namesAddress(setting)) filler.isMissing(`services.${name}.environment.${setting.name}`)
    }
  }
  return calls
}

/** The services by all names that they have in the networks of the file. The name of a service itself comes first. */
function hostsOf(services: readonly ComposeService[]): ReadonlyMap<string, string> {
  const hosts = new Map(services.map(({ name }) => [name.toLowerCase(), name]))
  for (const { name, aliases } of services)
    for (const alias of aliases) {
      const host = alias.toLowerCase()
      if (!hosts.has(host)) hosts.set(host, name)
    }
  return hosts
}
