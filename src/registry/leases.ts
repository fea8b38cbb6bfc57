/**
 * Whether a service is alive, as far as this coordinator can tell.
 *
 * - `unknown`: it never sent a heartbeat here, or the coordinator started less than one TTL ago.
 * - `up`, `down`: what its last heartbeat said.
 * - `expired`: it promised heartbeats (`ttlSeconds`), and for longer than that none came.
 */
export type Health = 'unknown' | 'up' | 'down' | 'expired'

export const HEALTHS: readonly Health[] = ['unknown', 'up', 'down', 'expired']

/** What a heartbeat says about its sender. */
export type ReportedHealth = 'up' | 'down'

/** What has to be known about a service to judge its lease. */
export interface Leaseholder {
  readonly serviceId: string
  /** How often it promised a heartbeat; 0 where it promised none. */
  readonly ttlSeconds: number
  /** When its registration was last written, epoch milliseconds. */
  readonly updatedAt: number
}

/** Where heartbeats go. Nothing of it is ever a part of a service's `data`, and no heartbeat is a commit. */
export interface Leases {
  /** Takes a heartbeat. @returns its time, epoch milliseconds */
  renew(serviceId: string, reported: ReportedHealth): number
  healthOf(holder: Leaseholder): Health
  /** Epoch milliseconds; `undefined` where none came to this coordinator since its start. */
  lastHeartbeat(serviceId: string): number | undefined
  /** The service is gone. */
  forget(serviceId: string): void
  /** Forgets every service that does not exist. */
  keepOnly(exists: (serviceId: string) => boolean): void
}
