import { CoordinatorError } from '../../errors.ts'
import { isJsonObject } from '../../records/canonical-json.ts'
import { quoted } from '../../text/quoted.ts'
import { type CommandContext, queryOf } from '../context/command-context.ts'
import { type CoordinatorClient, notCoordinator } from '../context/coordinator-client.ts'
import { isServiceId } from '../context/service-id.ts'
import { type Service, servicesTable } from './render-service.ts'

/** A service as somebody names it. */
export interface NamedService {
  /** The id of a service, or its name. */
  readonly given: string
  readonly namespace?: string | undefined
  /** The moment at which it is looked for. @default now */
  readonly asOf?: string | undefined
}

/** How many services are listed if a name fits several. */
const listedMax = 20

/** The id of a service. An id is not looked up: who may change a service may not always read the registry. */
export async function idOfService(
  client: CoordinatorClient,
  named: NamedService,
  context: CommandContext,
): Promise<string> {
  if (isServiceId(named.given)) return named.given.toLowerCase()
  const { serviceId } = await findService(client, named, context)
  return String(serviceId)
}

/**
 * The one service with this id or name.
 *
 * @throws COORD_SERVICE_NOT_FOUND, COORD_CLI_USAGE if the name fits several services, which are listed on standard error
 */
export async function findService(
  client: CoordinatorClient,
  { given, namespace, asOf }: NamedService,
  { terminal }: CommandContext,
): Promise<Service> {
  if (given === '') throw new CoordinatorError('COORD_CLI_USAGE', { detail: 'The name is empty.' })
  if (isServiceId(given)) {
    const answer = await client.get(`/services/${given.toLowerCase()}?${queryOf({ asOf })}`)
    const service = isJsonObject(answer.body) ? answer.body['service'] : undefined
    if (!isJsonObject(service)) throw notCoordinator(client.baseUrl, answer.status)
    return service
  }
  const query = queryOf({ name: given, namespace, asOf, limit: String(listedMax) })
  const { status, body } = await client.get(`/services?${query}`)
  const { services, total } = (body ?? {}) as { readonly services?: unknown; readonly total?: number }
  if (!Array.isArray(services)) throw notCoordinator(client.baseUrl, status)
  const [found, second] = services as readonly Service[]
  if (found === undefined) throw await notRegistered(client, { given, namespace })
  if (second === undefined) return found
  terminal.stderr.write(servicesTable(services, true))
  throw severalFound(services, { given, namespace, total: total ?? services.length })
}

function severalFound(
  services: readonly Service[],
  { given, namespace, total }: NamedService & { readonly total: number },
): CoordinatorError {
  const isDivided = new Set(services.map((service) => service['namespace'])).size > 1
  return new CoordinatorError('COORD_CLI_USAGE', {
    detail: `${total} services have the name ${quoted(given, 100)}.`,
    hint: `Give the id of the one that you mean${isDivided && namespace === undefined ? ', or its namespace with --namespace' : ''}.`,
  })
}

/** The graph knows names that are like this one, and names that others only refer to. */
async function notRegistered(
  client: CoordinatorClient,
  { given, namespace }: NamedService,
): Promise<CoordinatorError> {
  const query = queryOf({ of: given, namespace, limit: '1' })
  const { status, body } = await client.get(`/knowledge-graph/neighbors?${query}`, { accept: () => true })
  const suggestion = isJsonObject(body) && status === 404 ? body['suggestion'] : undefined
  const place = namespace === undefined ? '' : ` in the namespace ${namespace}`
  const more =
    status === 200
      ? ' Other services only refer to it.'
      : typeof suggestion === 'string'
        ? ` Did you mean ${suggestion}?`
        : ''
  return new CoordinatorError('COORD_SERVICE_NOT_FOUND', {
    detail: `No service has the name ${quoted(given, 100)}${place}.${more}`,
    hint: '`coordinator services` lists what is registered. A service that was deregistered is found only by its id.',
  })
}
