/** Members that nobody should log. They are hidden here, so that a mistake in a log call does not become a leak. */
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
 * Replaces the hidden members, at the top and one level down. The object itself stays unchanged. This is our own code because the wildcards
 * of pino's `redact` cost 3.5 us a line, three times as much as the rest of the line.
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
