import { readTime } from '../../text/read-time.ts'

const unitMs = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const
const duration = /^([1-9]\d{0,5})([smhdw])$/

/**
 * Reads when a token expires: a duration such as `90d` or `12h` (units `s`, `m`, `h`, `d`, `w`), a time in ISO 8601 with a zone, or `never`.
 *
 * @param now epoch milliseconds, for durations
 * @returns epoch milliseconds, `null` for `never`, `undefined` if the text is none of these
 */
export function readExpiry(text: string, now: number): number | null | undefined {
  if (text === 'never') return null
  const [, count, unit] = duration.exec(text) ?? []
  if (count !== undefined) return now + Number(count) * unitMs[unit as keyof typeof unitMs]
  return readTime(text)
}
