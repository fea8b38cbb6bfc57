import { api } from '../../../api/client.ts'
import type { ServiceList } from '../../../api/types.ts'
import { serviceNode } from '../../../state/places.ts'
import type { Moment } from './read-graph.ts'

/** The longest page of `GET /services`, and the most pages: the owners of more services are not read. */
const [PAGE, MOST_PAGES] = [1_000, 3]

/** Who owns services by the member `owner` of their metadata, by the id of the node. */
export async function readOwners(
  { asOf, namespace }: Moment,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const owners = new Map<string, string>()
  let cursor: string | undefined
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const query = { asOf, namespace, cursor, limit: PAGE, fields: 'serviceName,namespace,metadata' }
    const { services, nextCursor } = await api.get<ServiceList>('/services', { query, signal })
    for (const service of services) {
      const owner = service.metadata?.['owner']
      if (typeof owner === 'string' && service.serviceName !== undefined)
        owners.set(serviceNode(service.serviceName, service.namespace ?? 'default'), owner)
    }
    if (nextCursor === undefined || nextCursor === null) break
    cursor = nextCursor
  }
  return owners
}
