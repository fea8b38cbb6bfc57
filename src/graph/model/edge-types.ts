/**
 * This file says which end of an edge needs the other. Most types mean "source needs target": `service:web depends_on
 * service:cart`. A few mean the opposite, because people say it that way: in `service:cart exposes api:cart:GET:%2Fitems`, the
 * API needs the service. `impact`, `dependencies`, `paths` and `cycles` follow need, not arrows.
 */
const TARGET_NEEDS_SOURCE: ReadonlySet<string> = new Set(['exposes', 'publishes', 'provides', 'owns'])

/** Whether the target of such an edge needs its source. For unknown types it does not. */
export function targetNeedsSource(type: string): boolean {
  return TARGET_NEEDS_SOURCE.has(type)
}
