import type { Moment } from '../database/store.ts'
import type { Live } from '../live/live.ts'
import { RecordWriter } from '../live/writing/record-writer.ts'
import { SERVICE_KIND } from '../records/service/service.ts'
import { toPromise } from '../scheduling/to-promise.ts'
import type {
  BatchAnswer,
  DeregisterAnswer,
  HeartbeatAnswer,
  HistoryAnswer,
  ListAnswer,
  ListStream,
  PastServiceAnswer,
  RegisterAnswer,
  ServiceAnswer,
  WriteContext,
} from './answers.ts'
import { deregisterService } from './deregister-service.ts'
import { getService } from './get-service.ts'
import { takeHeartbeat } from './heartbeats.ts'
import { serviceIndex } from './index/service-index.ts'
import type { Leases } from './leases.ts'
import { judgeVersions, type VersionVerdicts } from './list/judge-versions.ts'
import type { ListQuery } from './list/list-query.ts'
import { listServices, streamServices } from './list/list-services.ts'
import { getPastService, listPastServices, streamPastServices } from './list/past-services.ts'
import { LocalLeases } from './local-leases.ts'
import { registerBatch } from './register-batch.ts'
import { registerService } from './register-service.ts'
import { type HistoryQuery, serviceHistory } from './service-history.ts'
import { submitMigration } from './submit-migration.ts'

export type * from './answers.ts'
export { registryDomain, registryKinds, registryProjections } from './domain.ts'
export type { Leases } from './leases.ts'
export type { ListQuery, ServiceFilters } from './list/list-query.ts'
export type { HistoryQuery } from './service-history.ts'

export interface RegistryOptions {
  /** Where heartbeats go. @default a table in the memory of this process */
  readonly leases?: Leases
}

/**
 * The service registry: what can be asked of it and done to it. Writes resolve when the view has them. Everything throws
 * `CoordinatorError` and nothing else; before the first load that is COORD_NOT_LOADED.
 */
export interface Registry {
  register(body: unknown, context: WriteContext): Promise<RegisterAnswer>
  /** @param body an array of registrations, or `{services: [...]}`; up to 1,000 */
  registerBatch(body: unknown, context: WriteContext): Promise<BatchAnswer>
  submitMigration(serviceId: string, body: unknown, context: WriteContext): Promise<RegisterAnswer>
  deregister(serviceId: string, context: WriteContext): Promise<DeregisterAnswer>
  heartbeat(serviceId: string, body?: unknown): HeartbeatAnswer
  /** @throws COORD_SERVICE_NOT_FOUND, with `extra.deletedAtRevision` where it was deregistered */
  get(serviceId: string): ServiceAnswer
  /**
   * Judges the versions that a list will meet, without keeping others waiting; for the `verdicts` of `list` and `listAll`.
   */
  judgeVersions(query: ListQuery): Promise<VersionVerdicts | undefined>
  /** @throws COORD_CURSOR_INVALID */
  list(query: ListQuery, verdicts?: VersionVerdicts): ListAnswer
  /** Chunks of whole NDJSON lines of everything that matches at this moment. `limit` and `cursor` do not count. */
  listAll(query: ListQuery, verdicts?: VersionVerdicts): ListStream
  history(serviceId: string, query?: HistoryQuery): Promise<HistoryAnswer>
  getAsOf(serviceId: string, moment: Moment): Promise<PastServiceAnswer>
  listAsOf(query: ListQuery, moment: Moment): Promise<ListAnswer>
  /** As `listAll`, of a moment of the past. */
  listAllAsOf(query: ListQuery, moment: Moment): Promise<ListStream>
  counts(): { readonly services: number; readonly active: number }
}

/** Makes the registry over a `Live` whose domain has `registryKinds` and `registryProjections`. */
export function createRegistry(live: Live, { leases = new LocalLeases() }: RegistryOptions = {}): Registry {
  const writer = new RecordWriter(live)
  followServices(live, leases)
  return {
    register: (body, context) => toPromise(() => registerService(writer, { body }, context)),
    registerBatch: (body, context) => registerBatch(writer, body, context),
    submitMigration: (serviceId, body, context) => submitMigration(writer, { serviceId, body }, context),
    deregister: (serviceId, context) => deregisterService(writer, serviceId, context),
    heartbeat: (serviceId, body) => takeHeartbeat(live.view, leases, { serviceId, body }),
    get: (serviceId) => getService(live.view, leases, serviceId),
    judgeVersions: ({ filters }) => judgeVersions(live.view, filters),
    list: (query, verdicts) => listServices(live.view, { leases, verdicts }, query),
    listAll: (query, verdicts) => streamServices(live.view, { leases, verdicts }, query),
    history: (serviceId, query) => serviceHistory(live, serviceId, query),
    getAsOf: (serviceId, moment) => getPastService(live, serviceId, moment),
    listAsOf: (query, moment) => listPastServices(live, query, moment),
    listAllAsOf: (query, moment) => streamPastServices(live, query, moment),
    counts: () => {
      const index = live.view.projection(serviceIndex)
      return { services: index.size, active: index.activeCount }
    },
  }
}

/** Leases begin with the first view. Services go away on other coordinators too, and while this one was not connected. */
function followServices(live: Live, leases: Leases): void {
  if (live.loaded) leases.open()
  live.observe({
    entry: ({ writes }) => {
      for (const { op, kind, id } of writes) if (op === 'delete' && kind === SERVICE_KIND) leases.forget(id)
    },
    replaced: (view) => {
      leases.open()
      leases.keepOnly((id) => view.get(SERVICE_KIND, id) !== undefined)
    },
  })
}
