import { hereWith, path } from '../state/location.ts'
import { now } from '../state/now.ts'
import { Link } from './link.tsx'
import { relativeTime } from './relative-time.ts'

interface TimeProps {
  /** ISO 8601, or epoch milliseconds. */
  readonly at: string | number
  /** Shows the exact time too, and not only in the title. @default false */
  readonly exact?: boolean
}

/** A moment, as the time that has passed. The exact one is in its title. */
export function Time({ at, exact = false }: TimeProps) {
  const date = new Date(at)
  if (Number.isNaN(date.getTime())) return <span>{String(at)}</span>
  const text = exactTime(date)
  return (
    <time dateTime={date.toISOString()} title={`${text} (${date.toISOString()})`}>
      {relativeTime(date.getTime(), now.value)}
      {exact && <span class="time-exact"> {text}</span>}
    </time>
  )
}

/** In the zone of the browser, with seconds: `2026-11-30 17:46:22`. */
export function exactTime(date: Date): string {
  const two = (number: number) => String(number).padStart(2, '0')
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
}

/** `4 h 12 min`, for ages. @param seconds at least 0 */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  if (whole < 60) return `${whole} s`
  if (whole < 3_600) return `${Math.floor(whole / 60)} min`
  if (whole < 86_400) return `${Math.floor(whole / 3_600)} h ${Math.floor((whole % 3_600) / 60)} min`
  return `${Math.floor(whole / 86_400)} d ${Math.floor((whole % 86_400) / 3_600)} h`
}

interface RevisionProps {
  readonly of: number
  /** Makes it a link to this page as it was then. Only for pages that follow `asOf`. @default false */
  readonly link?: boolean
  /** Makes it a link to another page as it was then. */
  readonly to?: string
}

export function Revision({ of, link = false, to }: RevisionProps) {
  const text = `r${of.toLocaleString('en')}`
  if (!link && to === undefined)
    return (
      <span class="revision" title={`Revision ${of}`}>
        {text}
      </span>
    )
  const place = to === undefined || to === path.value ? hereWith({ asOf: of }) : { to, query: { asOf: of } }
  return (
    <Link {...place} class="revision" title={`Show revision ${of}`}>
      {text}
    </Link>
  )
}
