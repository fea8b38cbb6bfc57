import { COLOURS } from '../../../drawing/model/tones.ts'
import { Link } from '../../../parts/link.tsx'
import { setQuery } from '../../../state/location.ts'
import { GROUPS, type GraphPlace, MOST_DEPTH, type Show } from '../graph-place.ts'

const WORDS: Readonly<Record<Show, string>> = {
  problems: 'Problems',
  around: 'Neighbourhood',
  impact: 'Who breaks',
  dependencies: 'What it needs',
  paths: 'Paths',
  cycles: 'Cycles',
  map: 'Map',
}

/** The questions of the page as links. Those about a node keep it. */
export function GraphTabs({ place }: { readonly place: GraphPlace }) {
  const { of, to, colour } = place
  return (
    <nav class="graph-tabs" aria-label="Questions about the graph">
      {(Object.keys(WORDS) as Show[]).map((show) => (
        <Link
          key={show}
          to="/graph"
          query={{
            show,
            of: show === 'map' || show === 'problems' || show === 'cycles' ? undefined : of,
            to: show === 'paths' ? to : undefined,
            colour: colour === 'health' ? undefined : colour,
          }}
          class="graph-tab"
          current={place.show === show}
        >
          {WORDS[show]}
        </Link>
      ))}
    </nav>
  )
}

export function GraphChoices({ place }: { readonly place: GraphPlace }) {
  const { show, depth, colour, groupBy } = place
  const steps = show === 'around' || show === 'impact' || show === 'dependencies' || show === 'problems'
  return (
    <div class="graph-choices">
      {steps && (
        <label class="choice">
          Steps
          <select
            class="select"
            value={depth > MOST_DEPTH ? 'all' : String(depth)}
            onChange={({ currentTarget }) =>
              setQuery(
                { depth: currentTarget.value === 'all' ? 1_000 : currentTarget.value },
                { replace: false },
              )
            }
          >
            {Array.from({ length: MOST_DEPTH + 1 }, (_, at) => at)
              .filter((at) => at > 0 || show === 'problems')
              .map((at) => (
                <option key={at} value={String(at)}>
                  {at}
                </option>
              ))}
            <option value="all">all</option>
          </select>
        </label>
      )}
      <label class="choice">
        Colour by
        <select
          class="select"
          value={colour}
          onChange={({ currentTarget }) => setQuery({ colour: currentTarget.value }, { replace: false })}
        >
          {COLOURS.map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      </label>
      {show === 'map' && (
        <label class="choice">
          Group by
          <select
            class="select"
            value={groupBy}
            onChange={({ currentTarget }) =>
              setQuery({ groupBy: currentTarget.value, open: undefined }, { replace: false })
            }
          >
            {GROUPS.map((name) => (
              <option key={name} value={name}>
                {name === 'none' ? 'nothing: each node' : name}
              </option>
            ))}
          </select>
        </label>
      )}
    </div>
  )
}
