import type { Health } from '../../records/health.ts'

/** What a heartbeat says about its sender. */
export type ReportedHealth = 'up' | 'down'

/** Where heartbeats go. Nothing of it is ever a part of a service's `data`, and no heartbeat is a commit. */
export interface Leases {
  /** How many services have sent a heartbeat. */
  readonly size: number
  /** From now on heartbeats can arrive: the coordinator serves. Later calls change nothing. */
  open(): void
  /** Takes a heartbeat. @returns its time, epoch milliseconds */
  renew(serviceId: string, reported: ReportedHealth): number
  /**
   * How a service is. A list asks for each of its services: three plain parameters, nothing to allocate.
   *
   * @param ttlSeconds how often it promised a heartbeat; 0 where it promised none
   * @param updatedAt when its registration was last written, epoch milliseconds
   */
  healthOf(serviceId: string, ttlSeconds: number, updatedAt: number): Health
  /** Epoch milliseconds; `undefined` where none came to this coordinator since its start. */
  lastHeartbeat(serviceId: string): number | undefined
  /** The service is gone. */
  forget(serviceId: string): void
  /** Forgets every service that does not exist. */
  keepOnly(exists: (serviceId: string) => boolean): void
}
