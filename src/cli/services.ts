import { type Command, InvalidArgumentError } from 'commander'
import { type ClientOptions, type CommandContext, clientCommand, clientOf } from './command-context.ts'
import { type CoordinatorClient, notCoordinator } from './coordinator-client.ts'
import { textTable } from './text-table.ts'

interface ServicesOptions extends ClientOptions {
  readonly name?: string
  readonly version?: string
  readonly tag?: readonly string[]
  readonly capability?: readonly string[]
  readonly status?: string
  readonly health?: string
  readonly metadata?: readonly string[]
  readonly json?: true
}

interface Service {
  readonly [field: string]: unknown
}

const examples = `
Examples:
  coordinator services
  coordinator services --tag payments --tag public     both tags
  coordinator services --name cart --version '^3'
  coordinator services --metadata system=opentelemetry-demo --json
`

/** `coordinator services`: lists what is registered. */
export function servicesCommand(context: CommandContext): Command {
  return clientCommand('services')
    .description('List the registered services.')
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
      const { terminal } = context
      const found = await listServices(clientOf(options, terminal), queryOf(options))
      terminal.stdout.write(options.json === true ? `${JSON.stringify(found)}\n` : render(found))
    })
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value]
}

function collectPair(value: string, before?: readonly string[]): readonly string[] {
  if (!/^[^=]+=/.test(value))
    throw new InvalidArgumentError('Write it as key=value, such as system=online-boutique.')
  return collect(value, before)
}

function queryOf(options: ServicesOptions): URLSearchParams {
  const query = new URLSearchParams({ limit: '1000' })
  for (const key of ['name', 'version', 'status', 'health'] as const) {
    const value = options[key]
    if (value !== undefined) query.set(key, value)
  }
  for (const tag of options.tag ?? []) query.append('tag', tag)
  for (const capability of options.capability ?? []) query.append('capability', capability)
  for (const pair of options.metadata ?? []) {
    const split = pair.indexOf('=')
    query.append(`metadata.${pair.slice(0, split)}`, pair.slice(split + 1))
  }
  return query
}

interface Found {
  readonly services: readonly Service[]
  readonly total: number
  /** Of the last page: what others change between two pages may show in one of them. */
  readonly revision: number
}

async function listServices(client: CoordinatorClient, query: URLSearchParams): Promise<Found> {
  const services: Service[] = []
  for (;;) {
    const { status, body } = await client.get(`/services?${query}`)
    const page = (body ?? {}) as { services: Service[]; total: number; revision: number; nextCursor?: string }
    if (!Array.isArray(page.services)) throw notCoordinator(client.baseUrl, status)
    services.push(...page.services)
    if (page.nextCursor === undefined) return { services, total: page.total, revision: page.revision }
    query.set('cursor', page.nextCursor)
  }
}

function render({ services }: Found): string {
  const rows = services.map((service) => [
    text(service['serviceName']),
    text(service['version']),
    text(service['status']),
    text(service['health']),
    text(service['endpoint']),
    Array.isArray(service['tags']) ? service['tags'].join(',') : '',
  ])
  const count = `${services.length} ${services.length === 1 ? 'service' : 'services'}\n`
  if (rows.length === 0) return count
  return `${textTable([['NAME', 'VERSION', 'STATUS', 'HEALTH', 'ENDPOINT', 'TAGS'], ...rows])}${count}`
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
