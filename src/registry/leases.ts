import type { Revision } from '../records/record.ts'

/**
 * Whether a service is alive, as far as this coordinator can tell.
 *
 * - `unknown`: it never sent a heartbeat here, or the coordinator started less than one TTL ago.
 * - `up`, `down`: what its last heartbeat said.
 * - `expired`: it promised heartbeats (`ttlSeconds`), and the last one is older than that.
 */
export type Health = 'unknown' | 'up' | 'down' | 'expired'

/** What a heartbeat says about its sender. */
export type ReportedHealth = 'up' | 'down'

/** What has to be known about a service to judge its lease. */
export interface Leaseholder {
  readonly serviceId: string
  readonly ttlSeconds: number | undefined
  /** When its registration was last written, epoch milliseconds. */
  readonly updatedAt: number
  readonly revision: Revision
}

/** Where heartbeats go. Nothing of it is ever a part of a service's `data`, nor a commit. */
export interface Leases {
  /** Takes a heartbeat. @returns its time, epoch milliseconds */
  renew(serviceId: string, reported: ReportedHealth): number
  healthOf(holder: Leaseholder): Health
  /** Epoch milliseconds; `undefined` where none came to this coordinator since its start. */
  lastHeartbeat(serviceId: string): number | undefined
  /** A service is gone. */
  forget(serviceId: string): void
  /** How many services have sent a heartbeat. */
  readonly size: number
}
