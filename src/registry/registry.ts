import type { Moment } from '../database/store.ts'
import { CoordinatorError } from '../errors.ts'
import type { Live } from '../live/live.ts'
import type { Revision } from '../records/record.ts'
import type {
  BatchAnswer,
  DeregisterAnswer,
  HeartbeatAnswer,
  HistoryAnswer,
  ListAnswer,
  ListStream,
  RegisterAnswer,
  ServiceAnswer,
  WriteContext,
} from './answers.ts'
import type { Leases } from './leases.ts'
import type { ListQuery } from './list-query.ts'

export type * from './answers.ts'
export { type ListQuery, parseListQuery } from './list-query.ts'

export interface RegistryOptions {
  /** Where heartbeats go. @default a table in the memory of this process */
  readonly leases?: Leases
}

export interface HistoryQuery {
  /** Only entries below this revision. @default all */
  readonly before?: Revision
  /** Entries on a page, 1 to 100. @default 100 */
  readonly limit?: number
}

/** The service registry: what can be asked of it and done to it. Everything throws `CoordinatorError` and nothing else. */
export interface Registry {
  register(body: unknown, context: WriteContext): Promise<RegisterAnswer>
  /** @param body an array of registrations, or `{services: [...]}`; up to 1,000 */
  registerBatch(body: unknown, context: WriteContext): Promise<BatchAnswer>
  submitMigration(serviceId: string, body: unknown, context: WriteContext): Promise<RegisterAnswer>
  deregister(serviceId: string, context: WriteContext): Promise<DeregisterAnswer>
  heartbeat(serviceId: string, body?: unknown): HeartbeatAnswer
  /** @throws COORD_SERVICE_NOT_FOUND, with `extra.deletedAtRevision` where it was deregistered */
  get(serviceId: string): ServiceAnswer
  /** @throws COORD_CURSOR_INVALID */
  list(query: ListQuery): ListAnswer
  /** Chunks of whole NDJSON lines of everything that matches at this moment. `limit` and `cursor` do not count. */
  listAll(query: ListQuery): ListStream
  history(serviceId: string, query?: HistoryQuery): Promise<HistoryAnswer>
  getAsOf(serviceId: string, moment: Moment): Promise<ServiceAnswer>
  listAsOf(query: ListQuery, moment: Moment): Promise<ListAnswer>
  counts(): { readonly services: number; readonly active: number }
}

export function createRegistry(_live: Live, _options: RegistryOptions = {}): Registry {
  throw new CoordinatorError('COORD_INTERNAL')
}
