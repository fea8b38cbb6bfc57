import { useState } from 'preact/hooks'
import { api } from '../../api/client.ts'
import type { ServiceList } from '../../api/types.ts'
import { asOf, namespace } from '../../state/location.ts'
import { type Asked, useAsked } from '../../state/use-answer.ts'
import { LIST_FIELDS, type ListedService, rowOf, type ServiceRow } from './service-row.ts'

/** Up to here the browser has all services, and filters them itself. */
export const LISTED_MAX = 10_000
const PAGE_SIZE = 1_000
/** These are shown while the others arrive. */
const FIRST_SIZE = 100

export interface ListedServices {
  readonly rows: readonly ServiceRow[]
  /** How many there are that match what the server filtered by. */
  readonly total: number
  readonly revision: number
  /** Whether `rows` are only the first ones, and the others are on their way. */
  readonly arriving: boolean
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
  const [first, setFirst] = useState<{ readonly key: string; readonly list: ListedServices }>()
  const ask = async (signal: AbortSignal): Promise<ListedServices> => {
    const page = (limit: number) => api.get<ServiceList>('/services', { query: { ...query, limit }, signal })
    const begin = await page(FIRST_SIZE)
    const { nextCursor, total } = begin
    if (nextCursor === undefined) return listOf(begin)
    if (total > LISTED_MAX) return listOf(await page(PAGE_SIZE))
    setFirst({ key, list: { ...listOf(begin), arriving: true } })
    const rows: ServiceRow[] = []
    for await (const service of api.lines<ListedService>('/services', { query, signal }))
      rows.push(rowOf(service))
    return { rows, total: rows.length, revision: begin.revision, arriving: false }
  }
  // Heartbeats are not in the journal: health is asked for from time to time.
  const asked = useAsked(key, ask, {
    live: asOf.value === undefined,
    everyMs: 5_000,
    pollMs: asOf.value === undefined ? 20_000 : undefined,
  })
  return { ...asked, data: asked.data ?? (first?.key === key ? first.list : undefined) }
}

function listOf({ services, total, revision }: ServiceList): ListedServices {
  return { rows: (services as ListedService[]).map(rowOf), total, revision, arriving: false }
}
