import type { HistoryPage } from '../database/store.ts'
import type { Live } from '../live/live.ts'
import { PageBudget } from '../live/questions/page-budget.ts'
import type { Entry, PutWrite, Revision } from '../records/record.ts'
import { SERVICE_KIND } from '../records/service/service.ts'
import { storedObject } from '../records/stored-json.ts'
import { Pace } from '../scheduling/pace.ts'
import type { FieldChange, HistoryAnswer, HistoryEntry } from './answers/answers.ts'
import { isoTime } from './answers/service-json.ts'
import { checkServiceId, serviceNotFound } from './answers/service-not-found.ts'
import { fieldChanges } from './field-changes.ts'

/** Entries on a page. */
export const HISTORY_LIMIT_MAX = 100

export interface HistoryQuery {
  /** Only entries below this revision. @default all */
  readonly before?: Revision
  /** Entries on a page, 1 to 100. @default 100 */
  readonly limit?: number
}

/**
 * The history of one service: when it changed, by whom, and which fields. Asks the store.
 *
 * @throws COORD_SERVICE_NOT_FOUND if nothing is known about it, and what `Live.history` throws
 */
export async function serviceHistory(
  live: Live,
  serviceId: string,
  { before, limit = HISTORY_LIMIT_MAX }: HistoryQuery = {},
): Promise<HistoryAnswer> {
  checkServiceId(serviceId)
  const count = Math.max(1, Math.min(limit, HISTORY_LIMIT_MAX))
  // One more than the page shows, because the changes of an entry are its difference to the previous one.
  const page = await live.history(SERVICE_KIND, serviceId, {
    limit: count + 1,
    ...(before === undefined ? {} : { before }),
  })
  // A page without entries that is not complete belongs to a service from before the history of this store.
  const isUnknown = page.entries.length === 0 && page.complete
  if (isUnknown && (before === undefined || !(await hasHistory(live, serviceId))))
    throw serviceNotFound(live.view, serviceId, page.position.revision)
  const entries = await shownEntries(page, { live, serviceId, count })
  const more = page.next !== undefined || page.entries.length > entries.length
  const last = entries.at(-1)
  return {
    serviceId,
    entries,
    ...(more && last !== undefined ? { next: last.revision } : {}),
    complete: page.complete && !more,
    revision: page.position.revision,
  }
}

/** The entries of a page, limited by number and size. Each is compared with the previous entry. */
async function shownEntries(
  page: HistoryPage,
  { live, serviceId, count }: { readonly live: Live; readonly serviceId: string; readonly count: number },
): Promise<readonly HistoryEntry[]> {
  const comparable = page.entries.length - (page.next === undefined || page.entries.length === 1 ? 0 : 1)
  const budget = new PageBudget()
  const pace = new Pace()
  const puts = page.entries.map((entry) => putOf(entry, serviceId))
  const entries: HistoryEntry[] = []
  for (const [at, { revision, at: time, actor, commitId }] of page.entries.entries()) {
    // The whole entry has to be read, even if little of it is shown.
    if (at === Math.min(count, comparable) || !budget.takeBytes(puts[at]?.data.length ?? 0)) break
    const created = page.previous[at] === 0
    const action = puts[at] === undefined ? 'deregistered' : created ? 'registered' : 'updated'
    const changes = changesOf(puts[at], created ? 'nothing' : puts[at + 1])
    entries.push({
      ...{ revision, at: isoTime(time), actor },
      ...(live.isUnproven(revision) ? { unproven: true as const } : {}),
      ...{ commitId, action },
      ...(changes && { changes }),
    })
    if (pace.due) await pace.turn()
  }
  return entries
}

/** Whether the service has a history. An empty page does not tell: there may be entries, but none before its `before`. */
async function hasHistory(live: Live, serviceId: string): Promise<boolean> {
  const { entries } = await live.history(SERVICE_KIND, serviceId, { limit: 1 })
  return entries.length > 0
}

/** `undefined` if an entry contains no object, because a person or a fault changed it, or if the previous version is no longer kept. */
function changesOf(
  put: PutWrite | undefined,
  earlier: PutWrite | 'nothing' | undefined,
): readonly FieldChange[] | undefined {
  // A removal removes all fields. The previous entry already shows them.
  if (put === undefined) return []
  const after = storedObject(put.data)
  const before = earlier === 'nothing' ? {} : earlier && storedObject(earlier.data)
  return before && after && fieldChanges(before, after)
}

/** The write by which a commit stored the service; `undefined` if it removed the service. */
function putOf({ writes }: Entry, serviceId: string): PutWrite | undefined {
  return writes.find(
    (write): write is PutWrite => write.op === 'put' && write.kind === SERVICE_KIND && write.id === serviceId,
  )
}
