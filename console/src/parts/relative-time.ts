const units = [
  ['year', 31_557_600],
  ['month', 2_629_800],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
] as const
/** Before that, days are told: `in 2 months` would be said of 89 days. */
const MONTHS_FROM = 4
/** How old `now` may be, in seconds: ten minutes ago must not be nine. */
const NOW_STEP = 10
const format = new Intl.RelativeTimeFormat('en', { numeric: 'auto' })

/** `5 minutes ago`. @param at and `present` are epoch milliseconds */
export function relativeTime(at: number, present: number): string {
  const seconds = Math.round((at - present) / 1_000)
  // Clocks differ, and `now` is up to ten seconds old: a moment ago is not the future.
  if (Math.abs(seconds) < 15) return 'just now'
  const passed = seconds + Math.sign(seconds) * NOW_STEP
  for (const [unit, length] of units)
    if (Math.abs(passed) >= length * (unit === 'month' ? MONTHS_FROM : 1))
      return format.format(Math.trunc(passed / length), unit)
  return format.format(seconds, 'second')
}
