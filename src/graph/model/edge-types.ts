/**
 * Which end of an edge needs the other. Most types read "source needs target": `service:web depends_on service:cart`.
 * A few read the other way round, because that is how people say it: `service:cart exposes api:cart:GET:%2Fitems`, and it
 * is the API that cannot do without the service. `impact`, `dependencies`, `paths` and `cycles` follow need, not arrows.
 */
const TARGET_NEEDS_SOURCE: ReadonlySet<string> = new Set(['exposes', 'publishes', 'provides', 'owns'])

/** Whether the target of such an edge needs its source. Unknown types: no. */
export function targetNeedsSource(type: string): boolean {
  return TARGET_NEEDS_SOURCE.has(type)
}
