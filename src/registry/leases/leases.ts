import type { Health } from '../../records/health.ts'

/** The health that a heartbeat reports about its sender. */
export type ReportedHealth = 'up' | 'down'

/** Keeps heartbeats. A heartbeat is not a commit, and never becomes a part of a service's `data`. */
export interface Leases {
  /** How many services have sent a heartbeat. */
  readonly size: number
  /**
   * Called when the coordinator begins to serve, and when its database takes writes again: from now on services are expected to send
   * heartbeats, and each has its full time. While the leases are open, further calls have no effect.
   */
  open(): void
  /**
   * Called while services may send their heartbeats elsewhere, because another database takes the writes: nothing expires until `open`.
   * Heartbeats that arrive are kept.
   */
  close(): void
  /** Takes a heartbeat. @returns its time, epoch milliseconds */
  renew(serviceId: string, reported: ReportedHealth): number
  /**
   * The health of a service. A list calls it for each of its services, so it takes three plain parameters and allocates nothing.
   *
   * @param ttlSeconds how often the service promised a heartbeat; 0 if it promised none
   * @param updatedAt when its registration was last written, epoch milliseconds
   */
  healthOf(serviceId: string, ttlSeconds: number, updatedAt: number): Health
  /** Epoch milliseconds; `undefined` if this coordinator has received none since its start. */
  lastHeartbeat(serviceId: string): number | undefined
  /** Drops the heartbeats of a service that no longer exists. */
  forget(serviceId: string): void
  /** Drops the heartbeats of all services that do not exist. */
  keepOnly(exists: (serviceId: string) => boolean): void
}
