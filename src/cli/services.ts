import { type Command, InvalidArgumentError, Option } from 'commander'
import { CoordinatorError } from '../errors.ts'
import {
  type ClientOptions,
  type CommandContext,
  clientCommand,
  clientOf,
  collect,
  queryOf,
  splitOptions,
  withOutput,
  writeResult,
} from './context/command-context.ts'
import { type CoordinatorClient, notCoordinator } from './context/coordinator-client.ts'
import {
  allNamespacesOption,
  type NamespaceOptions,
  namespaceOf,
  namespaceOption,
} from './context/namespace-option.ts'
import { readInterval } from './context/read-interval.ts'
import { type Service, serviceCount, servicesTable } from './service/render-service.ts'
import { watchServices } from './service/watch-services.ts'

interface ServicesOptions extends ClientOptions, NamespaceOptions {
  readonly q?: string
  readonly name?: string
  readonly version?: string
  readonly tag?: readonly string[]
  readonly capability?: readonly string[]
  readonly status?: string
  readonly health?: string
  readonly metadata?: Readonly<Record<string, readonly string[]>>
  readonly asOf?: string
  readonly watch?: true | number
}

const examples = `
With --watch the list is shown again whenever it changes, until Ctrl-C; it has at most 1,000 services.

Examples:
  coordinator services
  coordinator services --namespace shop -o wide
  coordinator services --health expired --watch
  coordinator services --tag payments --tag public     both tags
  coordinator services --q 'payment eu'                both words, anywhere
  coordinator services --name cart --version '^3'
  coordinator services --metadata system=opentelemetry-demo --json
`

/** `coordinator services`: lists the registered services. */
export function servicesCommand(context: CommandContext): Command {
  return withOutput(clientCommand('services', 'List the registered services.'))
    .addOption(namespaceOption())
    .addOption(allNamespacesOption())
    .option('--q <text>', 'only services with these words in name, tags, capabilities or metadata')
    .option('--name <name>', 'only this serviceName')
    .option('--version <range>', 'only versions in this semver range, such as ^3')
    .option('--tag <tag>', 'only services with this tag; repeat it for several', collect)
    .option('--capability <name>', 'only services with this capability; repeat it for several', collect)
    .option('--status <status>', 'only active or pending_migration')
    .option('--health <health>', 'only unknown, up, down or expired')
    .option('--metadata <key=value>', 'only services with this metadata; repeat it for several', collectPair)
    .option('--as-of <moment>', 'as they were at this revision or time')
    .addOption(
      new Option('--watch [seconds]', 'show the list again when it changes; look this often (default: 2)')
        .argParser(readInterval)
        .conflicts('asOf'),
    )
    .addHelpText('after', examples)
    .action(async (options: ServicesOptions) => {
      const { client, own } = splitOptions(options)
      const { metadata, watch, ...filters } = own
      const namespace = namespaceOf(options, context.terminal.env)
      const query = queryOf({ limit: '1000', namespace, ...filters, ...metadata })
      const asked = clientOf(client, context.terminal)
      if (watch !== undefined)
        return watchServices(asked, { query, options, seconds: watch === true ? 2 : watch }, context)
      const value = await listServices(asked, query)
      writeResult(context, options, { value, text: (wide) => servicesText(value, wide) })
    })
}

function servicesText({ services }: Found, wide: boolean): string {
  const table = services.length === 0 ? '' : servicesTable(services, wide)
  return table + serviceCount(services.length, services.length)
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
