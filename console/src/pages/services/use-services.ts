import { api } from '../../api/client.ts'
import type { ServiceList } from '../../api/types.ts'
import { asOf, namespace } from '../../state/location.ts'
import { type Asked, useAsked } from '../../state/use-answer.ts'
import { LIST_FIELDS, type ListedService, rowOf, type ServiceRow } from './service-row.ts'

/** Up to here the browser has all services, and filters them itself. */
export const LISTED_MAX = 10_000
const PAGE_SIZE = 1_000

export interface ListedServices {
  readonly rows: readonly ServiceRow[]
  /** How many there are that match what the server filtered by. */
  readonly total: number
  readonly revision: number
  /** Whether `rows` has all of them. Otherwise the server filters. */
  readonly complete: boolean
}

/**
 * All services, or above 10,000 the first thousand that match the search, which the server then judges.
 *
 * @param search counts only if the server filters
 */
export function useServices(search: string, serverFilters: boolean): Asked<ListedServices> {
  const query = {
    fields: LIST_FIELDS.join(','),
    asOf: asOf.value,
    namespace: namespace.value,
    q: serverFilters && search.trim() !== '' ? search.trim() : undefined,
  }
  const key = JSON.stringify(query)
  const ask = async (signal: AbortSignal): Promise<ListedServices> => {
    const first = await api.get<ServiceList>('/services', { query: { ...query, limit: PAGE_SIZE }, signal })
    const { total, revision } = first
    if (total > LISTED_MAX || first.nextCursor === undefined) {
      const rows = (first.services as ListedService[]).map(rowOf)
      return { rows, total, revision, complete: first.nextCursor === undefined && query.q === undefined }
    }
    const rows: ServiceRow[] = []
    for await (const service of api.lines<ListedService>('/services', { query, signal }))
      rows.push(rowOf(service))
    return { rows, total: rows.length, revision, complete: query.q === undefined }
  }
  // Heartbeats are not in the journal: health is asked for from time to time.
  return useAsked(key, ask, {
    live: asOf.value === undefined,
    everyMs: 5_000,
    pollMs: asOf.value === undefined ? 20_000 : undefined,
  })
}
