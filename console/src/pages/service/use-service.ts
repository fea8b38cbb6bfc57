import { ApiError } from '../../api/api-error.ts'
import { api } from '../../api/client.ts'
import type { Service, ServiceAnswer, ServiceHistory, ServiceList } from '../../api/types.ts'
import { asOf, query } from '../../state/location.ts'
import { type Asked, useAsked } from '../../state/use-answer.ts'

export interface FoundService {
  readonly service: Service
  /** All services of the same name in the same namespace. */
  readonly instances: readonly Service[]
  readonly revision: number
  /** When it was deregistered; then `service` is how it was last. */
  readonly endedAt: { readonly revision: number; readonly at: string; readonly actor: string } | undefined
}

const INSTANCES_SHOWN = 200

/** The service that the address names: by `id`, or by `name` and `in`, its namespace. */
export function useService(): Asked<FoundService> {
  const wanted = { id: query('id'), name: query('name'), in: query('in') ?? 'default', asOf: asOf.value }
  return useAsked(JSON.stringify(wanted), (signal) => find(wanted, signal), {
    live: wanted.asOf === undefined,
    pollMs: wanted.asOf === undefined ? 10_000 : undefined,
  })
}

interface Wanted {
  readonly id: string | undefined
  readonly name: string | undefined
  readonly in: string
  readonly asOf: string | undefined
}

async function find(wanted: Wanted, signal: AbortSignal): Promise<FoundService> {
  const { id, name, asOf: moment } = wanted
  if (id === undefined) {
    if (name === undefined) throw notNamed('', wanted.in)
    const named = await instancesOf({ serviceName: name, namespace: wanted.in }, moment, signal)
    const [service] = named.instances
    if (service === undefined) throw notNamed(name, wanted.in)
    return { service, ...named, endedAt: undefined }
  }
  try {
    const { service } = await api.get<ServiceAnswer>(pathOf(id), { query: { asOf: moment }, signal })
    return { service, ...(await instancesOf(service, moment, signal)), endedAt: undefined }
  } catch (thrown) {
    if (!(thrown instanceof ApiError && thrown.code === 'COORD_SERVICE_NOT_FOUND') || moment !== undefined)
      throw thrown
    return await lastState(id, thrown, signal)
  }
}

async function instancesOf(
  { serviceName, namespace }: Pick<Service, 'serviceName' | 'namespace'>,
  moment: string | undefined,
  signal: AbortSignal,
): Promise<Pick<FoundService, 'instances' | 'revision'>> {
  const query = { name: serviceName, namespace, asOf: moment, limit: INSTANCES_SHOWN }
  const { services, revision } = await api.get<ServiceList>('/services', { query, signal })
  return { instances: services as Service[], revision }
}

/** A service that was deregistered, as it was just before. @throws the given fault if there never was one */
async function lastState(id: string, fault: ApiError, signal: AbortSignal): Promise<FoundService> {
  const history = await api.get<ServiceHistory>(`${pathOf(id)}/history`, { query: { limit: 1 }, signal })
  const [end] = history.entries
  if (end === undefined) throw fault
  const query = { asOf: end.revision - 1 }
  const { service } = await api.get<ServiceAnswer>(pathOf(id), { query, signal })
  return { service, instances: [], revision: history.revision, endedAt: end }
}

export function pathOf(serviceId: string): string {
  // In a URL, nothing and dots lead to other paths, even percent-encoded. No service has such an id, with quotes neither.
  const part = /^\.{0,2}$/.test(serviceId) ? `"${serviceId}"` : serviceId
  return `/services/${encodeURIComponent(part)}`
}

function notNamed(name: string, namespace: string): ApiError {
  return new ApiError({
    status: 404,
    code: 'COORD_SERVICE_NOT_FOUND',
    detail: `No service ${JSON.stringify(name)} is registered in the namespace ${namespace}.`,
    hint: 'Look for it in the list of services. A service that is only a dependency of others has no page of its own.',
  })
}
