import { byCodeUnits } from '../../collections/sorted-list.ts'
import type { Moment } from '../../database/store.ts'
import { CoordinatorError } from '../../errors.ts'
import type { Live } from '../../live/live.ts'
import type { JsonObject } from '../../records/canonical-json.ts'
import type { Position, StoredRecord } from '../../records/record.ts'
import { SERVICE_KIND } from '../../records/service/service.ts'
import { serviceCheck } from '../../records/service/service-check.ts'
import { storedObject } from '../../records/stored-json.ts'
import { Pace } from '../../scheduling/pace.ts'
import type { ListAnswer, ListedSet, ListStream, PastServiceAnswer } from '../answers/answers.ts'
import { projectJson, type SentFacts, serviceJson } from '../answers/service-json.ts'
import { checkServiceId } from '../answers/service-not-found.ts'
import { addDigest, emptyDigest, versionDigest } from '../index/set-digest.ts'
import { filterTest } from './fulfils-filters.ts'
import { itemBytes } from './item-bytes.ts'
import { readCursor, writeCursor } from './list-cursor.ts'
import type { ListQuery } from './list-query.ts'
import { ndjsonChunks } from './ndjson-chunks.ts'
import { type PastItem, PastPage } from './past-page.ts'
import { compareKeys, type SortKey } from './select-page.ts'

/**
 * One service as it was at a moment. Asks the store.
 *
 * @throws COORD_SERVICE_NOT_FOUND, and what `Live.asOf` throws
 */
export async function getPastService(
  live: Live,
  serviceId: string,
  moment: Moment,
): Promise<PastServiceAnswer> {
  checkServiceId(serviceId)
  let then: Position | undefined
  for await (const { position, records } of live.asOf(moment, { kind: SERVICE_KIND, id: serviceId })) {
    then = position
    const [record] = records
    const data = record === undefined ? undefined : dataOf(record)
    if (record === undefined || data === undefined) continue
    return {
      json: pastJson(record, storedFacts(data)),
      revision: record.revision,
      lineage: position.lineage,
      health: 'unknown',
      asOf: position.revision,
    }
  }
  const at = then === undefined ? '' : ` at revision ${then.revision}`
  throw new CoordinatorError('COORD_SERVICE_NOT_FOUND', {
    detail: `No service had this id${at}.`,
    extra: then === undefined ? {} : { revision: then.revision },
  })
}

/** A service in memory until the page is known. It has no parsed data, because the data of a million services would not fit. */
interface PastService extends SortKey {
  readonly record: StoredRecord
  readonly facts: StoredFacts
}

type StoredFacts = Pick<SentFacts, 'active' | 'namespaced'>

/**
 * A page of the services at a moment of the past. It asks the store, which sends every service of that moment, and keeps only those of the
 * page. Nobody knows which services were alive then: `health` is `unknown`.
 *
 * @throws COORD_CURSOR_INVALID, and what `Live.asOf` throws
 */
export async function listPastServices(live: Live, query: ListQuery, moment: Moment): Promise<ListAnswer> {
  const { filters, limit, cursor, fields } = query
  const after = cursor === undefined ? undefined : readCursor(cursor, filters)
  const page = new PastPage<PastService & PastItem>(limit)
  const summary = await visitPast(live, { filters, moment }, (service) => {
    if (after === undefined || compareKeys(service, after) > 0)
      page.offer({ ...service, bytes: itemBytes(service.record, fields) })
  })
  const { items, more } = page.result()
  const last = items.at(-1)
  return {
    ...summary,
    items: items.map((service) => project(service, fields)),
    ...(more && last !== undefined ? { nextCursor: writeCursor(last, filters) } : {}),
  }
}

/**
 * All services at a moment of the past, as chunks of whole NDJSON lines. When this resolves, all of them have arrived from the store.
 *
 * @throws what `Live.asOf` throws
 */
export async function streamPastServices(
  live: Live,
  { filters, fields }: ListQuery,
  moment: Moment,
): Promise<ListStream> {
  // They arrive in order of their ids, so only the names have to be sorted.
  const byName = new Map<string, PastService[]>()
  const summary = await visitPast(live, { filters, moment }, (service) => {
    const namesakes = byName.get(service.name)
    if (namesakes === undefined) byName.set(service.name, [service])
    else namesakes.push(service)
  })
  function* texts(): Generator<string> {
    for (const name of [...byName.keys()].sort(byCodeUnits))
      for (const service of (byName.get(name) ?? []).sort(compareKeys)) yield project(service, fields)
  }
  return { ...summary, [Symbol.asyncIterator]: () => ndjsonChunks(texts()) }
}

/** Calls `visit` with every service that matched the filters at that moment, in no particular order. */
async function visitPast(
  live: Live,
  { filters, moment }: { readonly filters: ListQuery['filters']; readonly moment: Moment },
  visit: (service: PastService) => void,
): Promise<ListedSet> {
  const fulfils = filterTest(filters)
  let [total, digest] = [0, emptyDigest]
  let then = live.view.position
  const pace = new Pace()
  for await (const { position, records } of live.asOf(moment, { kind: SERVICE_KIND })) {
    then = position
    for (const record of records) {
      // Reading large records takes long, and a store in memory has the next page at once.
      if (pace.due) await pace.turn()
      const data = dataOf(record)
      if (data === undefined || !fulfils(data, 'unknown')) continue
      total += 1
      digest = addDigest(digest, versionDigest(record.id, record.revision))
      visit({ name: data['serviceName'] as string, id: record.id, record, facts: storedFacts(data) })
    }
  }
  return { total, revision: then.revision, lineage: then.lineage, digest }
}

/** The data of a record; `undefined` if it was changed by hand, or damaged, so that it is not served. */
function dataOf({ data }: StoredRecord): JsonObject | undefined {
  const parsed = storedObject(data)
  return parsed !== undefined && serviceCheck(parsed) === undefined ? parsed : undefined
}

function storedFacts(data: JsonObject): StoredFacts {
  return storedFactsTable[data['migrationFile'] === undefined ? 0 : 1][
    data['namespace'] === undefined ? 0 : 1
  ]
}

/** Shared, because a million services of the past are in memory together. */
const storedFactsTable = [
  [
    { active: false, namespaced: false },
    { active: false, namespaced: true },
  ],
  [
    { active: true, namespaced: false },
    { active: true, namespaced: true },
  ],
] as const

function pastJson(record: StoredRecord, facts: StoredFacts): string {
  return serviceJson(record, { ...facts, health: 'unknown', lastHeartbeat: undefined })
}

function project({ record, facts }: PastService, fields: readonly string[] | undefined): string {
  const json = pastJson(record, facts)
  return fields === undefined ? json : projectJson(json, fields)
}
