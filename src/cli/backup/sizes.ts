const units = ['B', 'KB', 'MB', 'GB', 'TB'] as const

/** A number of bytes for people: `512 B`, `3.4 MB`. */
export function sizeText(bytes: number): string {
  let [value, unit] = [bytes, 0]
  while (value >= 1_000 && unit < units.length - 1) {
    value /= 1_000
    unit += 1
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`
}

/** A time for people and programs: ISO 8601, in UTC. */
export function timeText(at: number): string {
  return new Date(at).toISOString()
}

/** A length of time for people: `480 ms`, `2.1 s`, `3 min`. */
export function durationText(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  return ms < 120_000 ? `${(ms / 1_000).toFixed(1)} s` : `${Math.round(ms / 60_000)} min`
}
