import type { CoordinatorError } from '../../errors.ts'
import type { Health } from '../../records/health.ts'
import type { Revision } from '../../records/record.ts'
import type { Warning } from '../../records/warning.ts'
import type { SetDigest } from '../index/set-digest.ts'

export type ServiceStatus = 'pending_migration' | 'active'

export type { WriteContext } from '../../live/writing/write-context.ts'

export interface RegisterAnswer {
  readonly serviceId: string
  readonly status: ServiceStatus
  /** Whether the service was not registered before. */
  readonly created: boolean
  /** Whether anything was stored. */
  readonly changed: boolean
  /** The commit that wrote the service as it is now. */
  readonly revision: Revision
  /** The history to which the revision belongs. */
  readonly lineage: string
  /** Whether this is the first result of a request that was sent before. */
  readonly replayed: boolean
  /** Current warnings, even if the rest is the first result of a request that was sent before. */
  readonly warnings: readonly Warning[]
}

export interface BatchAnswer {
  /** In the order of the request: the answer to each registration, or the reason for its refusal. */
  readonly results: readonly (RegisterAnswer | CoordinatorError)[]
}

export interface ServiceAnswer {
  /** The complete JSON text of the `service` object. */
  readonly json: string
  readonly revision: Revision
  /** The history to which the revision belongs. */
  readonly lineage: string
  readonly health: Health
}

/** A service as it was at a moment of the past. */
export interface PastServiceAnswer extends ServiceAnswer {
  /** The revision of the moment; `revision` is the commit that wrote the service. */
  readonly asOf: Revision
}

/** The set of services that a list shows. */
export interface ListedSet {
  /** How many services match, on all pages. */
  readonly total: number
  /** The revision that the answer shows. */
  readonly revision: Revision
  /** The history to which the revision belongs. */
  readonly lineage: string
  /** Changes exactly when the set of matching services, a matching service, or the health of a shown service changes. */
  readonly digest: SetDigest
}

export interface ListAnswer extends ListedSet {
  /** JSON texts of the services of this page, in order of serviceName and serviceId. */
  readonly items: readonly string[]
  /** Absent on the last page. */
  readonly nextCursor?: string
}

/** Every matching service at one revision, as NDJSON. */
export interface ListStream extends AsyncIterable<string>, ListedSet {}

export interface HeartbeatAnswer {
  readonly serviceId: string
  readonly health: Health
  /** Epoch milliseconds. */
  readonly lastHeartbeat: number
  readonly ttlSeconds?: number
  /** The time at which the service expires without another heartbeat, epoch milliseconds. Absent if it has no `ttlSeconds`. */
  readonly expiresAt?: number
  /** Ignored members; absent if there are none. */
  readonly warnings?: readonly Warning[]
}

export interface DeregisterAnswer {
  readonly serviceId: string
  readonly revision: Revision
  readonly changed: boolean
  readonly replayed: boolean
}

/** One part of a service that a commit changed. */
export interface FieldChange {
  /** A field, or a member of an object field: `tags`, `metadata.team`. */
  readonly field: string
  readonly change: 'added' | 'removed' | 'changed'
  /** Absent if the value is larger than 1 KiB. */
  readonly before?: unknown
  /** Absent if the value is larger than 1 KiB. */
  readonly after?: unknown
}

export interface HistoryEntry {
  readonly revision: Revision
  /** ISO 8601, UTC. */
  readonly at: string
  readonly actor: string
  /** Present if credentials were not demanded yet: the actor is only what the client said. */
  readonly unproven?: true
  readonly commitId: string
  readonly action: 'registered' | 'updated' | 'deregistered'
  /** Absent if the earlier version is no longer kept. */
  readonly changes?: readonly FieldChange[]
}

export interface HistoryAnswer {
  readonly serviceId: string
  /** Newest first. */
  readonly entries: readonly HistoryEntry[]
  /** Pass it as `before` for the next page; absent on the last one. */
  readonly next?: Revision
  /** Whether the last entry is the first one of this service; `false` if older ones are not kept, or are on the next page. */
  readonly complete: boolean
  /** The revision up to which the page is complete. */
  readonly revision: Revision
}
