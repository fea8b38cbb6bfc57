import type { Moment } from '../database/store.ts'
import type { Live } from '../live/live.ts'
import { RecordWriter } from '../live/writing/record-writer.ts'
import { BY_PROGRAM } from '../live/writing/write-context.ts'
import type { Health } from '../records/health.ts'
import type { StoredRecord } from '../records/record.ts'
import { type RegistrationInput, SERVICE_KIND } from '../records/service/service.ts'
import { toPromise } from '../scheduling/to-promise.ts'
import type { WriteContext } from './answers/answers.ts'
import { ContestedIds } from './contested-ids.ts'
import { deregisterService } from './deregister-service.ts'
import { getService } from './get-service.ts'
import { takeHeartbeat } from './heartbeats.ts'
import { serviceIndex } from './index/service-index.ts'
import type { Leases } from './leases/leases.ts'
import { LocalLeases } from './leases/local-leases.ts'
import { judgeVersions } from './list/judge-versions.ts'
import { judgeWords } from './list/judge-words.ts'
import { listNamespaces, type NamespacesQuery } from './list/list-namespaces.ts'
import type { ListQuery } from './list/list-query.ts'
import { listServices, streamServices } from './list/list-services.ts'
import type { JudgedFilters } from './list/match-services.ts'
import { getPastService, listPastServices, streamPastServices } from './list/past-services.ts'
import { registerBatch } from './register-batch.ts'
import { registerService, warningsOfDryRun } from './register-service.ts'
import { type HistoryQuery, serviceHistory } from './service-history.ts'
import { submitMigration } from './submit-migration.ts'

export type * from './answers/answers.ts'
export { domain } from './domain.ts'
export type { Leases } from './leases/leases.ts'
export type { NamespaceCounts, NamespacesAnswer, NamespacesQuery } from './list/list-namespaces.ts'
export type { ListQuery, ServiceFilters } from './list/list-query.ts'
export type { HistoryQuery } from './service-history.ts'

export interface RegistryOptions {
  /** Keeps the heartbeats. @default a table in the memory of this process */
  readonly leases?: Leases
}

/**
 * The service registry with all its questions and writes. A write resolves when the view has it. Everything throws `CoordinatorError` and
 * nothing else; before the first load that is COORD_NOT_LOADED. The context of a write is optional: the author is then `library`, which may
 * do everything, and there is no condition.
 */
export class Registry {
  readonly #live: Live
  readonly #writer: RecordWriter
  readonly #contested = new ContestedIds()
  readonly #leases: Leases

  /** @param live serves the whole `domain` */
  constructor(live: Live, { leases = new LocalLeases() }: RegistryOptions = {}) {
    this.#live = live
    this.#writer = new RecordWriter(live)
    this.#leases = leases
    this.#followServices()
  }

  /** @throws COORD_SCOPE_MISSING, COORD_FIELD_*, COORD_ENDPOINT_* and others with every problem in `errors`, and what a write throws */
  register(registration: RegistrationInput, context: WriteContext = BY_PROGRAM) {
    return toPromise(() => registerService(this.#registering, { body: registration }, context))
  }

  /** The warnings that a registration would have now; it is not stored. @throws COORD_FIELD_*, COORD_ENDPOINT_* and others, as `register` */
  warningsOf(registration: unknown, context: Pick<WriteContext, 'actor'> = BY_PROGRAM) {
    return warningsOfDryRun({ view: this.#live.view, contested: this.#contested }, registration, context)
  }

  /** @param body an array of registrations, or `{services: [...]}`; up to 1,000. Each is judged separately */
  registerBatch(
    body: readonly RegistrationInput[] | { readonly services: readonly RegistrationInput[] },
    context: WriteContext = BY_PROGRAM,
  ) {
    return registerBatch({ live: this.#live, ...this.#registering }, body, context)
  }

  get #registering() {
    return { writer: this.#writer, contested: this.#contested }
  }

  /**
   * The second stage of a registration: the service sends its migration file.
   *
   * @throws COORD_SERVICE_NOT_FOUND, also for services of others, COORD_FIELD_*, and what a write throws
   */
  submitMigration(serviceId: string, body: unknown, context: WriteContext = BY_PROGRAM) {
    return submitMigration(this.#writer, { serviceId, body }, context)
  }

  /** @throws COORD_SERVICE_NOT_FOUND, also for services of others, and what a write throws */
  deregister(serviceId: string, context: WriteContext = BY_PROGRAM) {
    return deregisterService(this.#writer, serviceId, context)
  }

  /** @throws COORD_SERVICE_NOT_FOUND, also for services of others, and the faults of the body */
  heartbeat(serviceId: string, body?: unknown, { principal }: Pick<WriteContext, 'principal'> = BY_PROGRAM) {
    return takeHeartbeat(this.#live.view, this.#leases, { serviceId, body, principal })
  }

  /** @throws COORD_SERVICE_NOT_FOUND, with `extra.deletedAtRevision` if it was deregistered */
  get(serviceId: string) {
    return getService(this.#live.view, this.#leases, serviceId)
  }

  /**
   * Judges the versions and the texts that a list will meet, without blocking other requests. The result is for the parameter `judged` of
   * `list` and `listAll`.
   */
  async judgeFilters({ filters }: ListQuery): Promise<JudgedFilters> {
    const view = this.#live.view
    const versions = await judgeVersions(view, filters)
    return { versions, words: await judgeWords(view, filters) }
  }

  /** @throws COORD_CURSOR_INVALID */
  list(query: ListQuery, judged?: JudgedFilters) {
    return listServices(this.#live.view, { leases: this.#leases, judged }, query)
  }

  /** All services that match at this moment, as chunks of whole NDJSON lines. `limit` and `cursor` are ignored. */
  listAll(query: ListQuery, judged?: JudgedFilters) {
    return streamServices(this.#live.view, { leases: this.#leases, judged }, query)
  }

  history(serviceId: string, query?: HistoryQuery) {
    return serviceHistory(this.#live, serviceId, query)
  }

  getAsOf(serviceId: string, moment: Moment) {
    return getPastService(this.#live, serviceId, moment)
  }

  listAsOf(query: ListQuery, moment: Moment) {
    return listPastServices(this.#live, query, moment)
  }

  /** Like `listAll`, at a moment of the past. */
  listAllAsOf(query: ListQuery, moment: Moment) {
    return streamPastServices(this.#live, query, moment)
  }

  /** The namespaces that have services, with how many each has. */
  namespaces(query?: NamespacesQuery) {
    return listNamespaces(this.#live.view, query)
  }

  /** The health of the service in a record of the present; `unknown` if it is gone. */
  healthOf({ id, updatedAt }: StoredRecord): Health {
    const { view } = this.#live
    const number = view.records.find(SERVICE_KIND, id)
    if (number === -1) return 'unknown'
    return this.#leases.healthOf(id, view.projection(serviceIndex).facts.ttlSeconds(number), updatedAt)
  }

  counts() {
    const index = this.#live.view.projection(serviceIndex)
    return { services: index.size, active: index.activeCount }
  }

  /**
   * Opens the leases when there is a view of a database that takes writes, and forgets services that are gone. Services may also be
   * removed by other coordinators, and while this one was not connected.
   */
  #followServices(): void {
    const [live, leases] = [this.#live, this.#leases]
    const follow = () => {
      const { mode, snapshotAt } = live.status
      if (mode !== 'open') leases.close()
      else if (live.loaded && snapshotAt === undefined) leases.open()
    }
    follow()
    live.observe({
      status: follow,
      entry: ({ writes }) => {
        for (const { op, kind, id } of writes) if (op === 'delete' && kind === SERVICE_KIND) leases.forget(id)
      },
      replaced: (view) => {
        follow()
        leases.keepOnly((id) => view.get(SERVICE_KIND, id) !== undefined)
      },
    })
  }
}
