import { PageBudget } from '../../live/questions/page-budget.ts'
import type { View } from '../../live/view/view.ts'
import { HEALTHS, type Health } from '../../records/health.ts'
import type { StoredRecord } from '../../records/record.ts'
import type { ListAnswer, ListStream } from '../answers/answers.ts'
import { projectJson, serviceJson } from '../answers/service-json.ts'
import { type ServiceIndex, serviceIndex } from '../index/service-index.ts'
import { addDigest, healthDigest, type SetDigest } from '../index/set-digest.ts'
import type { Leases } from '../leases/leases.ts'
import { itemBytes } from './item-bytes.ts'
import { readCursor, writeCursor } from './list-cursor.ts'
import type { ListQuery } from './list-query.ts'
import { type MatchContext, matchServices } from './match-services.ts'
import { ndjsonChunks } from './ndjson-chunks.ts'
import { selectPage, sortKeyOf } from './select-page.ts'

/**
 * One page of the matching services.
 *
 * @throws COORD_CURSOR_INVALID
 */
export function listServices(view: View, context: MatchContext, query: ListQuery): ListAnswer {
  const { filters, limit, cursor, fields } = query
  const after = cursor === undefined ? undefined : readCursor(cursor, filters)
  const index = view.projection(serviceIndex)
  const matches = matchServices(index, filters, context)
  // One more than the page holds, to know whether there is another page.
  const numbers = selectPage(index, matches, { after, count: limit + 1 })
  const budget = new PageBudget()
  const page = numbers.slice(0, limit)
  const end = page.findIndex((number) => !budget.takeBytes(itemBytes(index.record(number), fields)))
  if (end !== -1) page.length = end
  const last = page.at(-1)
  const shown = shownOf(index, context.leases, page)
  return {
    items: [...textsOf(shown, fields)],
    total: matches.total,
    revision: view.revision,
    lineage: view.lineage,
    digest: addDigest(matches.digest, shown.healthDigest),
    ...(numbers.length > page.length && last !== undefined
      ? { nextCursor: writeCursor(sortKeyOf(index, last), filters) }
      : {}),
  }
}

/**
 * All services that match at this moment, as chunks of whole NDJSON lines. Later commits do not show, because records never change: they
 * are replaced.
 */
export function streamServices(
  view: View,
  context: MatchContext,
  { filters, fields }: ListQuery,
): ListStream {
  const index = view.projection(serviceIndex)
  const matches = matchServices(index, filters, context)
  const numbers = selectPage(index, matches, { count: Math.max(1, matches.total) })
  const shown = shownOf(index, context.leases, numbers)
  return {
    total: matches.total,
    revision: view.revision,
    lineage: view.lineage,
    digest: addDigest(matches.digest, shown.healthDigest),
    [Symbol.asyncIterator]: () => ndjsonChunks(textsOf(shown, fields)),
  }
}

/**
 * The content of an answer about several services at one moment; its digest covers it. It has columns instead of objects: with a million
 * services, it is built while all other requests wait.
 */
interface Shown {
  readonly records: readonly StoredRecord[]
  readonly active: Uint8Array
  readonly namespaced: Uint8Array
  /** The health of each service, as its position in `HEALTHS`. */
  readonly health: Uint8Array
  /** Time of the last heartbeat, epoch milliseconds, 0 if none came; absent if no service sends any. */
  readonly lastHeartbeat: Float64Array | undefined
  readonly healthDigest: SetDigest
}

function shownOf(index: ServiceIndex, leases: Leases, numbers: readonly number[]): Shown {
  const { facts } = index
  const records = new Array<StoredRecord>(numbers.length)
  const active = new Uint8Array(numbers.length)
  const namespaced = new Uint8Array(numbers.length)
  const health = new Uint8Array(numbers.length)
  const lastHeartbeat = leases.size === 0 ? undefined : new Float64Array(numbers.length)
  let [high, low] = [0, 0]
  for (let at = 0; at < numbers.length; at += 1) {
    const number = numbers[at] as number
    const record = index.record(number)
    records[at] = record
    active[at] = facts.active(number) ? 1 : 0
    namespaced[at] = facts.namespaced(number) ? 1 : 0
    const now = leases.healthOf(record.id, facts.ttlSeconds(number), record.updatedAt)
    if (lastHeartbeat !== undefined) lastHeartbeat[at] = leases.lastHeartbeat(record.id) ?? 0
    if (now === 'unknown') continue
    health[at] = HEALTHS.indexOf(now)
    const digest = healthDigest({ high: facts.digestHigh(number), low: facts.digestLow(number) }, now)
    high = (high + digest.high) | 0
    low = (low + digest.low) | 0
  }
  return { records, active, namespaced, health, lastHeartbeat, healthDigest: { high, low } }
}

function* textsOf(
  { records, active, namespaced, health, lastHeartbeat }: Shown,
  fields: readonly string[] | undefined,
): Generator<string> {
  for (const [at, record] of records.entries()) {
    const heardAt = lastHeartbeat?.[at] ?? 0
    const json = serviceJson(record, {
      active: active[at] === 1,
      namespaced: namespaced[at] === 1,
      health: HEALTHS[health[at] as number] as Health,
      lastHeartbeat: heardAt === 0 ? undefined : heardAt,
    })
    yield fields === undefined ? json : projectJson(json, fields)
  }
}
