import { api } from '../../../api/client.ts'
import { HEALTHS, type ServiceList } from '../../../api/types.ts'
import { serviceNode } from '../../../state/places.ts'
import { healthFrom } from './health-from.ts'
import type { HealthOf } from './to-drawn.ts'

/** The longest page of `GET /services`. */
const PAGE = 1_000

/**
 * The health of every service, without reading all of them: each health has one page. If one health has more services than a page, the
 * services on none of the pages have that one. A node with several instances has the most urgent health among them.
 *
 * @returns `undefined` for what cannot be told that way: two healths with more than a thousand services each
 */
export async function readHealth(signal: AbortSignal): Promise<HealthOf> {
  const lists = await Promise.all(
    HEALTHS.map((health) => {
      const query = { health, limit: PAGE, fields: 'serviceName,namespace' }
      return api.get<ServiceList>('/services', { query, signal })
    }),
  )
  return healthFrom(
    HEALTHS.map((health, at) => ({
      health,
      names: (lists[at]?.services ?? []).map(({ serviceName, namespace }) =>
        serviceNode(serviceName ?? '', namespace ?? 'default'),
      ),
      cut: (lists[at]?.total ?? 0) > PAGE,
    })),
  )
}

/** Of a moment of the past: heartbeats have no history. */
export const noHealth: HealthOf = () => undefined
