import { type Command, InvalidArgumentError } from 'commander'
import { CoordinatorError } from '../errors.ts'
import {
  type ClientOptions,
  type CommandContext,
  clientCommand,
  clientOf,
  collect,
  queryOf,
  splitOptions,
  writeResult,
} from './context/command-context.ts'
import { type CoordinatorClient, notCoordinator } from './context/coordinator-client.ts'
import { countOf, textTable } from './terminal/text-table.ts'

interface ServicesOptions extends ClientOptions {
  readonly name?: string
  readonly version?: string
  readonly tag?: readonly string[]
  readonly capability?: readonly string[]
  readonly status?: string
  readonly health?: string
  readonly metadata?: Readonly<Record<string, readonly string[]>>
}

type Service = Readonly<Record<string, unknown>>

const examples = `
Examples:
  coordinator services
  coordinator services --tag payments --tag public     both tags
  coordinator services --name cart --version '^3'
  coordinator services --metadata system=opentelemetry-demo --json
`

/** `coordinator services`: lists the registered services. */
export function servicesCommand(context: CommandContext): Command {
  return clientCommand('services', 'List the registered services.')
    .option('--name <name>', 'only this serviceName')
    .option('--version <range>', 'only versions in this semver range, such as ^3')
    .option('--tag <tag>', 'only services with this tag; repeat it for several', collect)
    .option('--capability <name>', 'only services with this capability; repeat it for several', collect)
    .option('--status <status>', 'only active or pending_migration')
    .option('--health <health>', 'only unknown, up, down or expired')
    .option('--metadata <key=value>', 'only services with this metadata; repeat it for several', collectPair)
    .option('--json', 'print JSON: every field of every service')
    .addHelpText('after', examples)
    .action(async (options: ServicesOptions) => {
      const { client, own } = splitOptions(options)
      const { metadata, ...filters } = own
      const query = queryOf({ limit: '1000', ...filters, ...metadata })
      const value = await listServices(clientOf(client, context.terminal), query)
      writeResult(context, options, { value, text: render(value.services) })
    })
}

/** Gathers the values of each query parameter: `metadata.KEY`. */
function collectPair(
  pair: string,
  before: Readonly<Record<string, readonly string[]>> = {},
): Readonly<Record<string, readonly string[]>> {
  const [, key, value] = /^([^=]+)=(.*)$/s.exec(pair) ?? []
  if (key === undefined || value === undefined)
    throw new InvalidArgumentError('Write it as key=value, such as system=online-boutique.')
  const name = `metadata.${key}`
  return { ...before, [name]: collect(value, before[name]) }
}

interface Found {
  readonly services: readonly Service[]
  readonly total: number
  /** The revision of the last page. Earlier pages may be older. */
  readonly revision: number
}

/** @throws COORD_CLI_UNREACHABLE for a server that does not answer as a coordinator does */
async function listServices(client: CoordinatorClient, query: URLSearchParams): Promise<Found> {
  const services: Service[] = []
  const cursors = new Set<string>()
  for (;;) {
    const { status, body } = await client.get(`/services?${query}`)
    const page = (body ?? {}) as Found & { readonly nextCursor?: string }
    const { total, revision, nextCursor } = page
    if (!Array.isArray(page.services)) throw notCoordinator(client.baseUrl, status)
    services.push(...page.services)
    if (nextCursor === undefined) return { services, total, revision }
    if (cursors.has(nextCursor)) throw endlessList(client)
    cursors.add(nextCursor)
    query.set('cursor', nextCursor)
  }
}

function endlessList({ baseUrl }: CoordinatorClient): CoordinatorError {
  return new CoordinatorError('COORD_CLI_UNREACHABLE', {
    detail: `${baseUrl} answered with the same cursor twice: its list of services would never end.`,
    hint: 'Check COORDINATOR_URL or --url. A proxy there may answer from a cache and ignore the query.',
  })
}

function render(services: readonly Service[]): string {
  const count = `${countOf(services.length, 'service')}\n`
  if (services.length === 0) return count
  const texts = ['serviceName', 'version', 'status', 'health', 'endpoint']
  const rows = services.map((service) => [
    ...texts.map((field) => (typeof service[field] === 'string' ? service[field] : '')),
    Array.isArray(service['tags']) ? service['tags'].join(',') : '',
  ])
  return `${textTable([['NAME', 'VERSION', 'STATUS', 'HEALTH', 'ENDPOINT', 'TAGS'], ...rows])}${count}`
}
