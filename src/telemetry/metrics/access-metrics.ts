import type { Meters } from './meters.ts'
import { each } from './series.ts'

/** Why a request was denied. */
export const denialReasons = [
  'missing',
  'malformed',
  'unknown',
  'expired',
  'revoked',
  'scope',
  'throttled',
  'jwt',
  'unavailable',
] as const
export type DenialReason = (typeof denialReasons)[number]

/** Who was refused. */
export function accessMetrics(meters: Meters) {
  const denied = meters.counter(
    'coordinator_access_denied_total',
    `Requests that were denied, by reason (${denialReasons.join(', ')}).`,
    { reason: denialReasons },
  )
  const counts = each(denialReasons, (reason) => denied.of({ reason }))
  return {
    denied: (reason: DenialReason) => counts[reason].add(),
  }
}
