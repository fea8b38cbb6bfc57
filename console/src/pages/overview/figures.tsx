import type { ComponentChildren } from 'preact'
import { HEALTHS, type HealthWord } from '../../api/types.ts'
import { Link } from '../../parts/link.tsx'
import { Shown } from '../../parts/states.tsx'
import type { PlaceQuery } from '../../state/location.ts'
import type { Asked } from '../../state/use-answer.ts'
import { ChangesFigure } from './changes-figure.tsx'
import type { OverviewFigures } from './use-figures.ts'

/** The numbers in one row. Each leads to what it counts. */
export function Figures({ asked }: { readonly asked: Asked<OverviewFigures> }) {
  return (
    <Shown asked={asked} what="the numbers">
      {({ services, byHealth, unresolved, cycles }) => (
        <ul class="figures">
          <Figure
            value={services.total}
            name={services.total === 1 ? 'service' : 'services'}
            to="/services"
            wide
          >
            <HealthBar byHealth={byHealth} total={services.total} />
          </Figure>
          <Figure
            value={unresolved.total}
            name={unresolved.total === 1 ? 'unresolved dependency' : 'unresolved dependencies'}
            to="/graph"
            bad={unresolved.total > 0}
          >
            {unresolved.total === 0 ? 'Every dependency is registered.' : 'Needed, but not registered.'}
          </Figure>
          <Figure
            value={cycles.total}
            name={cycles.total === 1 ? 'dependency cycle' : 'dependency cycles'}
            to="/graph"
            query={{ show: 'cycles' }}
            warn={cycles.total > 0}
          >
            {cycles.total === 0
              ? 'No nodes need each other.'
              : `The largest has ${cycles.cycles[0]?.size ?? 0} members.`}
          </Figure>
          <ChangesFigure />
        </ul>
      )}
    </Shown>
  )
}

interface FigureProps {
  readonly value: number
  readonly name: string
  readonly to: string
  readonly query?: PlaceQuery
  readonly bad?: boolean
  readonly warn?: boolean
  readonly wide?: boolean
  readonly children: ComponentChildren
}

export function Figure({
  value,
  name,
  to,
  query = {},
  bad = false,
  warn = false,
  wide = false,
  children,
}: FigureProps) {
  const tone = bad ? 'figure-bad' : warn ? 'figure-warn' : ''
  return (
    <li class={`figure panel ${tone} ${wide ? 'figure-wide' : ''}`}>
      <p class="figure-head">
        <Link to={to} query={query} class="figure-link">
          <span class="figure-value">{value.toLocaleString('en')}</span> {name}
        </Link>
      </p>
      <div class="figure-note">{children}</div>
    </li>
  )
}

interface HealthBarProps {
  readonly byHealth: OverviewFigures['byHealth']
  readonly total: number
}

/** The services by health: as a bar, and as numbers that lead to the list. */
function HealthBar({ byHealth, total }: HealthBarProps) {
  const shown = HEALTHS.filter((health) => byHealth[health].total > 0)
  return (
    <>
      <div class="health-bar" aria-hidden="true">
        {shown.map((health) => (
          <span
            key={health}
            class={`health-part health-part-${health}`}
            style={{ flexGrow: byHealth[health].total / Math.max(1, total) }}
          />
        ))}
      </div>
      <ul class="health-counts">
        {HEALTHS.map((health) => (
          <li key={health}>
            <HealthCount health={health} count={byHealth[health].total} />
          </li>
        ))}
      </ul>
    </>
  )
}

function HealthCount({ health, count }: { readonly health: HealthWord; readonly count: number }) {
  return (
    <Link
      to="/services"
      query={{ health }}
      class={count === 0 ? 'health-count' : `health-count health-count-${health}`}
    >
      <strong>{count.toLocaleString('en')}</strong> {health}
    </Link>
  )
}
