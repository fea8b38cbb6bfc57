import type { Health } from '../../records/health.ts'
import type { Leases, ReportedHealth } from './leases.ts'

interface Heartbeat {
  /** On the monotonic clock, milliseconds. */
  readonly heardMs: number
  /** On the wall clock, epoch milliseconds: for people, never for decisions. */
  readonly at: number
  readonly reported: ReportedHealth
}

export interface LocalLeasesOptions {
  /** Monotonic clock, milliseconds. @default performance.now */
  readonly monotonicMs?: () => number
  /** Wall clock, epoch milliseconds. @default Date.now */
  readonly now?: () => number
}

/**
 * Heartbeats in the memory of this process. A service without a heartbeat since the start is `unknown` until one whole TTL has passed. A
 * restart of the coordinator must not declare all services dead. A start that waited for its database must not do so either, because it
 * refused every heartbeat. The same is true of a database that begins to take writes: until then, services may have used others.
 */
export class LocalLeases implements Leases {
  readonly #heartbeats = new Map<string, Heartbeat>()
  readonly #monotonicMs: () => number
  readonly #now: () => number
  /** Since when services are expected to send heartbeats here. */
  #openedMs = Number.POSITIVE_INFINITY

  constructor({ monotonicMs = () => performance.now(), now = Date.now }: LocalLeasesOptions = {}) {
    this.#monotonicMs = monotonicMs
    this.#now = now
  }

  get size(): number {
    return this.#heartbeats.size
  }

  open(): void {
    this.#openedMs = Math.min(this.#openedMs, this.#monotonicMs())
  }

  close(): void {
    this.#openedMs = Number.POSITIVE_INFINITY
  }

  renew(serviceId: string, reported: ReportedHealth): number {
    const at = this.#now()
    this.#heartbeats.set(serviceId, { heardMs: this.#monotonicMs(), at, reported })
    return at
  }

  healthOf(serviceId: string, ttlSeconds: number, updatedAt: number): Health {
    // Most services of most systems send no heartbeats, so they should not cost a lookup each.
    const heartbeat = this.#heartbeats.size === 0 ? undefined : this.#heartbeats.get(serviceId)
    if (ttlSeconds === 0) return heartbeat?.reported ?? 'unknown'
    const ttlMs = ttlSeconds * 1_000
    if (heartbeat !== undefined) {
      const sinceMs = Math.max(heartbeat.heardMs, this.#openedMs)
      return this.#monotonicMs() - sinceMs > ttlMs ? 'expired' : heartbeat.reported
    }
    const served = this.#monotonicMs() - this.#openedMs > ttlMs
    return served && this.#now() - updatedAt > ttlMs ? 'expired' : 'unknown'
  }

  lastHeartbeat(serviceId: string): number | undefined {
    return this.#heartbeats.get(serviceId)?.at
  }

  forget(serviceId: string): void {
    this.#heartbeats.delete(serviceId)
  }

  keepOnly(exists: (serviceId: string) => boolean): void {
    for (const serviceId of this.#heartbeats.keys())
      if (!exists(serviceId)) this.#heartbeats.delete(serviceId)
  }
}
