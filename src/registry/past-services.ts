import type { Moment } from '../database/store.ts'
import { CoordinatorError } from '../errors.ts'
import type { Live } from '../live/live.ts'
import type { JsonObject } from '../records/canonical-json.ts'
import type { Position, StoredRecord } from '../records/record.ts'
import { SERVICE_KIND } from '../records/service.ts'
import { serviceCheck } from '../records/service-check.ts'
import type { ListAnswer, PastServiceAnswer } from './answers.ts'
import { filterTest } from './fulfils-filters.ts'
import { readCursor, writeCursor } from './list-cursor.ts'
import { addDigest, emptyDigest, listEtag, versionDigest } from './list-digest.ts'
import type { ListQuery } from './list-query.ts'
import { comparePlaces, type ListPlace } from './select-page.ts'
import { projectJson, serviceEtag, serviceJson } from './service-json.ts'
import { checkServiceId } from './service-not-found.ts'
import { Smallest } from './smallest.ts'

/**
 * One service as it stood. Asks the store.
 *
 * @throws COORD_SERVICE_NOT_FOUND, and what `Live.asOf` throws
 */
export async function getPastService(
  live: Live,
  serviceId: string,
  moment: Moment,
): Promise<PastServiceAnswer> {
  checkServiceId(live.view, serviceId)
  let then: Position | undefined
  for await (const { position, records } of live.asOf(moment, { kind: SERVICE_KIND, id: serviceId })) {
    then = position
    const [record] = records
    const data = record === undefined ? undefined : dataOf(record)
    if (record === undefined || data === undefined) continue
    return {
      json: pastJson(record, isActive(data)),
      etag: serviceEtag(position.lineage, record.revision),
      revision: record.revision,
      asOf: position.revision,
    }
  }
  const at = then === undefined ? '' : ` at revision ${then.revision}`
  throw new CoordinatorError('COORD_SERVICE_NOT_FOUND', {
    detail: `No service had this id${at}.`,
    extra: then === undefined ? {} : { revision: then.revision },
  })
}

/** What is kept of a service until the page is known: not its parsed data, of which a million would not fit. */
interface PastService extends ListPlace {
  readonly record: StoredRecord
  readonly active: boolean
}

/**
 * A page of the services as they stood. Asks the store, which sends every service of that moment: only those of the page
 * are kept. Nobody knows who was alive then: `health` is `unknown`.
 *
 * @throws COORD_CURSOR_INVALID, and what `Live.asOf` throws
 */
export async function listPastServices(live: Live, query: ListQuery, moment: Moment): Promise<ListAnswer> {
  const { filters, limit, cursor, fields } = query
  const after = cursor === undefined ? undefined : readCursor(cursor, filters)
  const fulfils = filterTest(filters)
  const page = new Smallest<PastService>(limit + 1, comparePlaces)
  let [total, digest] = [0, emptyDigest]
  let then = live.view.position
  for await (const { position, records } of live.asOf(moment, { kind: SERVICE_KIND })) {
    then = position
    for (const record of records) {
      const data = dataOf(record)
      if (data === undefined || !fulfils(data, 'unknown')) continue
      total += 1
      digest = addDigest(digest, versionDigest(record.id, record.revision))
      const service = { name: data['serviceName'] as string, id: record.id, record, active: isActive(data) }
      if (after === undefined || comparePlaces(service, after) > 0) page.offer(service)
    }
  }
  const found = page.sorted()
  const last = found[limit - 1]
  return {
    items: found.slice(0, limit).map(({ record, active }) => project(pastJson(record, active), fields)),
    total,
    revision: then.revision,
    etag: listEtag(then.lineage, total, digest),
    ...(found.length > limit && last !== undefined ? { nextCursor: writeCursor(last, filters) } : {}),
  }
}

/** The data of a record; `undefined` where it was changed by hand into something that is not served. */
function dataOf({ data }: StoredRecord): JsonObject | undefined {
  const parsed = JSON.parse(data) as JsonObject
  return serviceCheck(parsed) === undefined ? parsed : undefined
}

function isActive(data: JsonObject): boolean {
  return data['migrationFile'] !== undefined
}

function pastJson(record: StoredRecord, active: boolean): string {
  return serviceJson(record, { active, health: 'unknown', lastHeartbeat: undefined })
}

function project(json: string, fields: readonly string[] | undefined): string {
  return fields === undefined ? json : projectJson(json, fields)
}
