import { api } from '../../api/client.ts'
import { type Cycles, HEALTHS, type HealthWord, type ServiceList, type Unresolved } from '../../api/types.ts'
import { asOf, namespace } from '../../state/location.ts'
import { type Asked, useAsked } from '../../state/use-answer.ts'

/** Some services, and how many there are. */
export interface Group {
  readonly services: ServiceList['services']
  readonly total: number
}

export interface OverviewFigures {
  readonly services: Group
  readonly byHealth: Readonly<Record<HealthWord, Group>>
  readonly unresolved: Unresolved
  readonly cycles: Cycles
  /** The oldest revision among the answers. */
  readonly revision: number
}

/** How many of each kind the page names. */
const NAMED = 5

/** The numbers of the overview. Each is one small question: the coordinator counts, and not the browser. */
export function useFigures(): Asked<OverviewFigures> {
  const where = { asOf: asOf.value, namespace: namespace.value }
  const ask = async (signal: AbortSignal): Promise<OverviewFigures> => {
    const list = (health?: HealthWord) =>
      api.get<ServiceList>('/services', {
        query: { ...where, health, limit: NAMED, fields: 'serviceId,serviceName,namespace,lastHeartbeat' },
        signal,
      })
    const [services, groups, unresolved, cycles] = await Promise.all([
      list(),
      Promise.all(HEALTHS.map(async (health) => [health, await list(health)] as const)),
      api.get<Unresolved>('/knowledge-graph/unresolved', { query: { ...where, limit: NAMED }, signal }),
      api.get<Cycles>('/knowledge-graph/cycles', { query: { ...where, limit: NAMED }, signal }),
    ])
    return {
      services,
      byHealth: Object.fromEntries(groups) as Record<HealthWord, ServiceList>,
      unresolved,
      cycles,
      revision: Math.min(services.revision, unresolved.revision, cycles.revision),
    }
  }
  const isPresent = where.asOf === undefined
  return useAsked(JSON.stringify(where), ask, {
    live: isPresent,
    everyMs: 3_000,
    pollMs: isPresent ? 10_000 : undefined,
  })
}
