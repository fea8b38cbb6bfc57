/** Members that are never logged, even if a log call passes them by mistake. */
const hidden = new Set([
  'password',
  'apikey',
  'authorization',
  'cookie',
  'body',
  'headers',
  'connectionString',
])
const depth = 2

/**
 * Replaces such members, at the top and one level down, in a copy. The wildcards of pino's `redact` would do the same for 3.5 us a
 * line, three times the rest of its cost.
 */
export function hideMembers(members: Record<string, unknown>, levels = depth): Record<string, unknown> {
  let copy: Record<string, unknown> | undefined
  for (const name in members) {
    const value = members[name]
    const shown = hidden.has(name)
      ? '[hidden]'
      : isPlain(value) && levels > 1
        ? hideMembers(value, levels - 1)
        : value
    if (shown === value) continue
    copy ??= { ...members }
    copy[name] = shown
  }
  return copy ?? members
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}
