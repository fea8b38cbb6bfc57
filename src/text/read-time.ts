const form =
  /^(\d{4}-\d\d-\d\d)T(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/

/**
 * Reads a time in ISO 8601 with a zone, such as `2026-01-31T12:00:00Z` or `2026-01-31T12:00+01:00`.
 *
 * @returns epoch milliseconds; `undefined` if the text has another form, or names a day, an hour, a second or a zone that does not exist
 */
export function readTime(text: string): number | undefined {
  const [, day] = form.exec(text) ?? []
  // `Date.parse` takes February 30 for March 2.
  if (day === undefined || !exists(day)) return undefined
  return Date.parse(text)
}

function exists(day: string): boolean {
  const midnight = Date.parse(`${day}T00:00Z`)
  return !Number.isNaN(midnight) && new Date(midnight).toISOString().startsWith(day)
}
