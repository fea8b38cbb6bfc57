import type { JsonObject, JsonValue } from '../../../records/canonical-json.ts'
import { type ContainerPort, findHealthCheck, type HealthCheck } from '../reading/choose-endpoint.ts'
import { listOf, mapOf, portOf, textOf, wordOf } from '../reading/file-value.ts'
import { type Setting, settingsOfArguments } from '../reading/find-references.ts'
import { schemeOfWord } from '../reading/known-transports.ts'
import { splitPair } from './extend-services.ts'
import type { VariableFiller } from './fill-variables.ts'

/** What a compose file says about one service. */
export interface ComposeService {
  readonly name: string
  /** With its variables filled in; empty texts count as missing. */
  readonly image: string | undefined
  readonly ports: readonly ContainerPort[]
  /** The ports as the file writes them. */
  readonly published: readonly string[]
  /** Other names of the service in the networks of the file. */
  readonly aliases: readonly string[]
  /** Names of services that it needs, as `depends_on`, `links`, `volumes_from` and `network_mode` say. */
  readonly needs: readonly string[]
  /** Names that only this service has for others: `links: [db:database]`. */
  readonly links: ReadonlyMap<string, string>
  readonly settings: readonly Setting[]
  readonly labels: ReadonlyMap<string, string>
  readonly profiles: readonly string[]
  readonly health: HealthCheck | undefined
  readonly containerName: string | undefined
  readonly hostname: string | undefined
}

export function readComposeService(
  name: string,
  service: JsonObject,
  filler: VariableFiller,
): ComposeService {
  const at = (member: string) => `services.${name}.${member}`
  const text = (member: string) => filler.fill(service[member], at(member))?.trim() || undefined
  const texts = (member: string) =>
    asList(service[member]).flatMap((item) => filler.fill(item, at(member)) ?? [])
  const published = listOf(service['ports']).flatMap((port) => publishedText(port, at('ports'), filler) ?? [])
  const [containerName, hostname] = [text('container_name'), text('hostname')]
  const aliases = [
    containerName,
    hostname,
    ...Object.values(mapOf(service['networks'])).flatMap((network) =>
      listOf(mapOf(network)['aliases']).map((alias) => filler.fill(alias, at('networks'))),
    ),
  ]
  const links = new Map<string, string>()
  const needs = [...namesOf(service['depends_on'], at('depends_on'), filler)]
  for (const link of texts('links')) {
    const [target = '', alias] = link.split(':', 2)
    needs.push(target)
    if (alias !== undefined) links.set(alias.toLowerCase(), target)
  }
  for (const source of texts('volumes_from'))
    if (!source.startsWith('container:')) needs.push(source.split(':')[0] as string)
  const network = text('network_mode')
  if (network?.startsWith('service:')) needs.push(network.slice('service:'.length))
  const check = mapOf(service['healthcheck'])
  const test = [check['test'] ?? null].flat().flatMap((word) => filler.fill(word, at('healthcheck')) ?? [])
  return {
    name,
    image: text('image'),
    ports: [
      ...listOf(service['ports']).flatMap((port) => containerPort(port, at('ports'), filler) ?? []),
      ...texts('expose').flatMap((port) => shortPort(port) ?? []),
    ],
    published,
    aliases: aliases.flatMap((alias) => (alias === undefined || alias === '' ? [] : alias)),
    needs,
    links,
    settings: [
      ...pairsOf(service['environment'], at('environment'), filler).map(([name, text]) => ({ name, text })),
      ...settingsOfArguments([
        ...wordsOf(service['entrypoint'], at('entrypoint'), filler),
        ...wordsOf(service['command'], at('command'), filler),
      ]),
    ],
    labels: new Map(pairsOf(service['labels'], at('labels'), filler)),
    profiles: texts('profiles'),
    health: wordOf(check['disable']) === 'true' ? undefined : findHealthCheck(test.join(' '), name),
    containerName,
    hostname,
  }
}

/** The value as a list. Compose accepts a single text in place of a list with one member. */
function asList(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? value : value === undefined || value === null ? [] : [value]
}

/** The names in a list, or the keys of a map. */
function namesOf(value: JsonValue | undefined, where: string, filler: VariableFiller): readonly string[] {
  return Array.isArray(value)
    ? value.flatMap((item) => filler.fill(item, where) ?? [])
    : Object.keys(mapOf(value))
}

/** The pairs of a map, or of a list of `KEY=VALUE`. A key without a value takes it from the variables. */
function pairsOf(value: JsonValue | undefined, where: string, filler: VariableFiller): [string, string][] {
  const pairs: [string, JsonValue | undefined][] = Array.isArray(value)
    ? value.map((item) => splitPair(textOf(item) ?? ''))
    : Object.entries(mapOf(value))
  return pairs.flatMap(([key, given]) => {
    const text =
      given === undefined || given === null ? filler.valueOf(key) : filler.fill(given, `${where}.${key}`)
    return text === undefined || key === '' ? [] : [[key, text]]
  })
}

/** The words of a command. Quotes do not matter for finding addresses in them. */
function wordsOf(value: JsonValue | undefined, where: string, filler: VariableFiller): readonly string[] {
  return asList(value).flatMap(
    (item) =>
      filler
        .fill(item, where)
        ?.split(/\s+/)
        .filter((word) => word !== '') ?? [],
  )
}

function containerPort(value: JsonValue, where: string, filler: VariableFiller): ContainerPort | undefined {
  const long = mapOf(value)
  if (long['target'] === undefined) return shortPort(filler.fill(value, where) ?? '')
  const port = portOf(filler.fill(long['target'], where))
  const scheme =
    schemeOfWord(filler.fill(long['app_protocol'], where) ?? '') ??
    schemeOfWord(filler.fill(long['name'], where) ?? '')
  return port === undefined ? undefined : { port, scheme, isUdp: wordOf(long['protocol']) === 'udp' }
}

/** `8080`, `3000-3005`, `127.0.0.1:80:8080/tcp`: the last number is the port of the container. */
function shortPort(text: string): ContainerPort | undefined {
  const [, first, protocol] = /(?:^|:)\s*(\d{1,5})(?:-\d{1,5})?(?:\/(\w+))?\s*$/.exec(text) ?? []
  const port = portOf(first)
  return port === undefined ? undefined : { port, isUdp: protocol?.toLowerCase() === 'udp' }
}

function publishedText(value: JsonValue, where: string, filler: VariableFiller): string | undefined {
  const long = mapOf(value)
  if (long['target'] === undefined) return filler.fill(value, where)
  const [published, target] = [filler.fill(long['published'], where), filler.fill(long['target'], where)]
  return published === undefined ? target : `${published}:${target}`
}
