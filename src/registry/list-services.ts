import { PageBudget } from '../live/page-budget.ts'
import type { View } from '../live/view.ts'
import type { StoredRecord } from '../records/record.ts'
import type { ListAnswer, ListStream } from './answers.ts'
import { itemBytes } from './item-bytes.ts'
import type { Leases } from './leases.ts'
import { readCursor, writeCursor } from './list-cursor.ts'
import { listEtag } from './list-digest.ts'
import type { ListQuery } from './list-query.ts'
import { type MatchContext, matchServices } from './match-services.ts'
import { ndjsonChunks } from './ndjson-chunks.ts'
import { selectPage } from './select-page.ts'
import { type ServiceIndex, serviceIndex } from './service-index.ts'
import { projectJson, serviceJson } from './service-json.ts'

/**
 * One page of the services that match.
 *
 * @throws COORD_CURSOR_INVALID
 */
export function listServices(view: View, context: MatchContext, query: ListQuery): ListAnswer {
  const { leases } = context
  const { filters, limit, cursor, fields } = query
  const after = cursor === undefined ? undefined : readCursor(cursor, filters)
  const index = view.projection(serviceIndex)
  const matches = matchServices(index, filters, context)
  // One more than the page shows whether there is another page.
  const slots = selectPage(index, matches, { after, count: limit + 1 })
  const budget = new PageBudget()
  const page = slots.slice(0, limit)
  const end = page.findIndex((slot) => !budget.takeBytes(itemBytes(index.record(slot), fields)))
  if (end !== -1) page.length = end
  const last = page.at(-1)
  return {
    items: page.map((slot) => slotJson(index, leases, { slot, fields })),
    total: matches.total,
    revision: view.revision,
    etag: listEtag(view.lineage, matches.total, matches.digest),
    ...(slots.length > page.length && last !== undefined
      ? { nextCursor: writeCursor({ name: index.nameOf(last).text, id: index.record(last).id }, filters) }
      : {}),
  }
}

/**
 * Everything that matches at this moment, as chunks of whole NDJSON lines. What is committed while they are read does not
 * show: records never change, they are replaced.
 */
export function streamServices(
  view: View,
  context: MatchContext,
  { filters, fields }: ListQuery,
): ListStream {
  const index = view.projection(serviceIndex)
  const matches = matchServices(index, filters, context)
  const slots = selectPage(index, matches, { count: Math.max(1, matches.total) })
  const lines = linesOf(index, slots)
  return {
    total: matches.total,
    revision: view.revision,
    etag: listEtag(view.lineage, matches.total, matches.digest),
    [Symbol.asyncIterator]: () => ndjsonChunks(textsOf(lines, context.leases, fields)),
  }
}

interface Line {
  readonly record: StoredRecord
  readonly active: boolean
  readonly ttlSeconds: number
}

/** Columns instead of objects: for a million services this is what everybody else waits for. */
interface Lines {
  readonly records: readonly StoredRecord[]
  readonly active: Uint8Array
  readonly ttlSeconds: Int32Array
}

function linesOf(index: ServiceIndex, slots: readonly number[]): Lines {
  const { facts } = index
  const records = new Array<StoredRecord>(slots.length)
  const active = new Uint8Array(slots.length)
  const ttlSeconds = new Int32Array(slots.length)
  for (let at = 0; at < slots.length; at += 1) {
    const slot = slots[at] as number
    records[at] = index.record(slot)
    active[at] = facts.active(slot) ? 1 : 0
    ttlSeconds[at] = facts.ttlSeconds(slot)
  }
  return { records, active, ttlSeconds }
}

function* textsOf(
  { records, active, ttlSeconds }: Lines,
  leases: Leases,
  fields: readonly string[] | undefined,
): Generator<string> {
  for (const [at, record] of records.entries())
    yield sentJson({ record, active: active[at] === 1, ttlSeconds: ttlSeconds[at] as number }, leases, fields)
}

function slotJson(
  index: ServiceIndex,
  leases: Leases,
  { slot, fields }: { readonly slot: number; readonly fields: readonly string[] | undefined },
): string {
  const { facts } = index
  const line = { record: index.record(slot), active: facts.active(slot), ttlSeconds: facts.ttlSeconds(slot) }
  return sentJson(line, leases, fields)
}

/** The text of a service as it is sent, with what its lease says. */
export function sentJson(line: Line, leases: Leases, fields?: readonly string[]): string {
  const { record, active, ttlSeconds } = line
  const json = serviceJson(record, {
    active,
    health: leases.healthOf(record.id, ttlSeconds, record.updatedAt),
    lastHeartbeat: leases.lastHeartbeat(record.id),
  })
  return fields === undefined ? json : projectJson(json, fields)
}
