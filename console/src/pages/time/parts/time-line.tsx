import { useEffect, useState } from 'preact/hooks'
import { exactTime } from '../../../parts/time.tsx'
import { type Density, endOf } from '../data/density.ts'
import { REST_MS } from '../rest.ts'

export interface Thumb {
  readonly label: string
  /** The bucket at whose end it stands. */
  readonly at: number
  /** The moment itself, which may be within the bucket: a revision or a time. `undefined` is now. */
  readonly moment: string | undefined
  /** Called when it has rested. */
  readonly onRest: (at: number) => void
}

export interface TimeLineProps {
  readonly density: Density
  readonly thumbs: readonly Thumb[]
}

const HEIGHT = 56

/** The kept history: the number of changes over time, and a slider for each chosen moment. */
export function TimeLine({ density, thumbs }: TimeLineProps) {
  const { buckets } = density
  const most = Math.max(1, ...buckets.map(({ changes }) => changes))
  const places = thumbs.map(({ at }) => at)
  const [first, last] = [Math.min(...places), Math.max(...places)]
  const width = buckets.length
  return (
    <div class="time-line">
      <svg
        class="density"
        viewBox={`0 0 ${width} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${density.changes} changes from ${exactTime(new Date(density.from))} to ${exactTime(new Date(density.to))}`}
      >
        {thumbs.length > 1 && (
          <rect
            class="density-between"
            x={first + 1}
            y={0}
            width={Math.max(0, last - first)}
            height={HEIGHT}
          />
        )}
        {buckets.map(({ changes, from }, at) => {
          if (changes === 0) return null
          // A single change must be seen beside a thousand.
          const height = Math.max(3, (Math.sqrt(changes) / Math.sqrt(most)) * HEIGHT)
          const past = thumbs.length === 1 ? at > first : at <= first || at > last
          return (
            <rect
              key={from}
              class={past ? 'density-bar density-past' : 'density-bar'}
              x={at + 0.1}
              y={HEIGHT - height}
              width={0.8}
              height={height}
            />
          )
        })}
        {places.map((at, place) => (
          <line key={place} class="density-mark" x1={at + 1} x2={at + 1} y1={0} y2={HEIGHT} />
        ))}
      </svg>
      {thumbs.map((thumb) => (
        <Slider key={thumb.label} density={density} thumb={thumb} />
      ))}
      <p class="time-line-ends quiet">
        <span>{exactTime(new Date(density.from))}</span>
        <span>{exactTime(new Date(density.to))}</span>
      </p>
    </div>
  )
}

function Slider({ density, thumb }: { readonly density: Density; readonly thumb: Thumb }) {
  const { label, at, moment, onRest } = thumb
  // Where the user holds the slider; `undefined` when nobody does.
  const [held, setHeld] = useState<number>()
  const shown = held ?? at
  useEffect(() => {
    if (held === undefined) return undefined
    const timer = setTimeout(() => {
      setHeld(undefined)
      if (held !== at) onRest(held)
    }, REST_MS)
    return () => clearTimeout(timer)
  }, [held])
  const { buckets } = density
  const text = held === undefined ? momentText(density, moment) : bucketText(density, held)
  return (
    <label class="slider">
      <span class="slider-label">
        {label}: <strong>{text}</strong>
      </span>
      <input
        type="range"
        min={0}
        max={buckets.length - 1}
        step={1}
        value={shown}
        aria-valuetext={text}
        onInput={({ currentTarget }) => setHeld(Number(currentTarget.value))}
      />
    </label>
  )
}

function bucketText(density: Density, at: number): string {
  const { buckets } = density
  if (at >= buckets.length - 1) return 'now'
  return `${exactTime(new Date(endOf(density, at)))}, revision ${buckets[at]?.revision ?? 0}`
}

function momentText(density: Density, moment: string | undefined): string {
  if (moment === undefined) return 'now'
  if (!/^\d+$/.test(moment)) return exactTime(new Date(moment))
  const { buckets } = density
  const ends = buckets.find(({ revision }) => revision === Number(moment))
  return ends === undefined ? `revision ${moment}` : bucketText(density, buckets.indexOf(ends))
}
