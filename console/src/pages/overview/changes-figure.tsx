import { asOf } from '../../state/location.ts'
import { now } from '../../state/now.ts'
import { useAnswer } from '../../state/use-answer.ts'
import { Figure } from './figures.tsx'

interface Density {
  readonly buckets: readonly { readonly from: string; readonly changes: number }[]
  readonly changes: number
}

const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000
const BUCKETS = 60

/** How many commits there were in the last hour, minute by minute. */
export function ChangesFigure() {
  const isPast = asOf.value !== undefined
  // Whole minutes: the question stays the same for a minute, and the last bucket is not a part of one.
  const to = Math.ceil(now.value / MINUTE_MS) * MINUTE_MS
  const query = {
    from: new Date(to - HOUR_MS).toISOString(),
    to: new Date(to).toISOString(),
    buckets: BUCKETS,
  }
  const { data } = useAnswer<Density>(isPast ? undefined : '/changes/density', {
    query,
    live: true,
    everyMs: 5_000,
  })
  if (data === undefined) return null
  const counts = data.buckets.map(({ changes }) => changes)
  const total = data.changes
  return (
    <Figure
      value={total}
      name={total === 1 ? 'change in the last hour' : 'changes in the last hour'}
      to="/time"
    >
      <Sparkline counts={counts} />
    </Figure>
  )
}

const HEIGHT = 30
const STEP = 4

function Sparkline({ counts }: { readonly counts: readonly number[] }) {
  const highest = Math.max(1, ...counts)
  return (
    <svg
      class="sparkline"
      viewBox={`0 0 ${counts.length * STEP} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={`Minute by minute, at most ${highest}`}
    >
      {counts.map((count, at) => {
        // A single change must be visible beside a thousand.
        const height = count === 0 ? 1 : Math.max(4, (count / highest) * HEIGHT)
        return (
          <rect
            key={at}
            class={count === 0 ? 'spark-none' : 'spark'}
            x={at * STEP}
            y={HEIGHT - height}
            width={STEP - 1}
            height={height}
          />
        )
      })}
    </svg>
  )
}
