/**
 * Whether a service is alive, as far as this coordinator knows.
 *
 * - `unknown`: it never sent a heartbeat here, or the coordinator has served for less than one TTL.
 * - `up`, `down`: what its last heartbeat said.
 * - `expired`: it promised heartbeats (`ttlSeconds`), and none came for longer than that.
 */
export type Health = 'unknown' | 'up' | 'down' | 'expired'

export const HEALTHS: readonly Health[] = ['unknown', 'up', 'down', 'expired']
