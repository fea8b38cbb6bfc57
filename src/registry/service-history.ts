import type { HistoryPage } from '../database/store.ts'
import type { Live } from '../live/live.ts'
import { PageBudget } from '../live/questions/page-budget.ts'
import type { JsonObject } from '../records/canonical-json.ts'
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
 * What happened to one service: when, by whom, and which fields it changed. Asks the store.
 *
 * @throws COORD_SERVICE_NOT_FOUND where nothing is known of it, and what `Live.history` throws
 */
export async function serviceHistory(
  live: Live,
  serviceId: string,
  { before, limit = HISTORY_LIMIT_MAX }: HistoryQuery = {},
): Promise<HistoryAnswer> {
  checkServiceId(serviceId)
  const count = Math.max(1, Math.min(limit, HISTORY_LIMIT_MAX))
  // One more than is shown: what an entry changed is the difference from the one before it.
  const page = await live.history(SERVICE_KIND, serviceId, {
    limit: count + 1,
    ...(before === undefined ? {} : { before }),
  })
  if (page.entries.length === 0 && (before === undefined || !(await hasHistory(live, serviceId))))
    throw serviceNotFound(live.view, serviceId, page.position.revision)
  const entries = await shownEntries(page, { serviceId, count })
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

/** The entries of a page, limited by number and size. Each is compared with the entry before it. */
async function shownEntries(
  page: HistoryPage,
  { serviceId, count }: { readonly serviceId: string; readonly count: number },
): Promise<readonly HistoryEntry[]> {
  const comparable = page.entries.length - (page.next === undefined || page.entries.length === 1 ? 0 : 1)
  const budget = new PageBudget()
  const pace = new Pace()
  const entries: HistoryEntry[] = []
  for (let at = 0; at < Math.min(count, comparable); at += 1) {
    // The whole entry has to be read, however little of it is shown.
    if (!budget.takeBytes(putOf(page.entries[at] as Entry, serviceId)?.data.length ?? 0)) break
    entries.push(historyEntry(page, at, serviceId))
    if (pace.due) await pace.turn()
  }
  return entries
}

/** Nothing below a revision says nothing about the service. */
async function hasHistory(live: Live, serviceId: string): Promise<boolean> {
  const { entries } = await live.history(SERVICE_KIND, serviceId, { limit: 1 })
  return entries.length > 0
}

function historyEntry(page: HistoryPage, at: number, serviceId: string): HistoryEntry {
  const entry = page.entries[at] as Entry
  const created = page.previous[at] === 0
  const changes = changesOf(page, at, serviceId)
  return {
    revision: entry.revision,
    at: isoTime(entry.at),
    actor: entry.actor,
    commitId: entry.commitId,
    action: putOf(entry, serviceId) === undefined ? 'deregistered' : created ? 'registered' : 'updated',
    ...(changes === undefined ? {} : { changes }),
  }
}

/** Not known where an entry holds no object: a person or a fault made that of it. */
function changesOf(page: HistoryPage, at: number, serviceId: string): readonly FieldChange[] | undefined {
  const entry = page.entries[at] as Entry
  // That everything went away with the service says nothing that the entry before it does not.
  if (putOf(entry, serviceId) === undefined) return []
  const after = dataOf(entry, serviceId)
  if (after === undefined) return undefined
  if (page.previous[at] === 0) return fieldChanges({}, after)
  const earlier = page.entries[at + 1]
  const before = earlier === undefined ? undefined : dataOf(earlier, serviceId)
  return before === undefined ? undefined : fieldChanges(before, after)
}

function dataOf(entry: Entry, serviceId: string): JsonObject | undefined {
  const put = putOf(entry, serviceId)
  return put === undefined ? undefined : storedObject(put.data)
}

/** How a commit stored the service; `undefined` where it removed it. */
function putOf({ writes }: Entry, serviceId: string): PutWrite | undefined {
  return writes.find(
    (write): write is PutWrite => write.op === 'put' && write.kind === SERVICE_KIND && write.id === serviceId,
  )
}
