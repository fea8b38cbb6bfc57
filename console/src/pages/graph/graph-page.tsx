import { useRef } from 'preact/hooks'
import { Page } from '../../parts/page.tsx'
import { Empty, Failure, Loading } from '../../parts/states.tsx'
import { navigate } from '../../state/location.ts'
import { useAsked } from '../../state/use-answer.ts'
import { FocusPart } from './focus-part.tsx'
import { type GraphPlace, graphPlace, questionOf } from './graph-place.ts'
import { MapPart } from './map-part.tsx'
import { EmptyGraph } from './parts/empty-graph.tsx'
import { GraphChoices, GraphTabs } from './parts/graph-toolbar.tsx'
import { type FoundNode, NodeSearch } from './parts/node-search.tsx'
import type { GraphView } from './views/graph-view.ts'
import { readView } from './views/read-view.ts'
import './graph.css'

/** The graph: the surroundings of one node or of the problems, and never everything at once. */
export function GraphPage() {
  const place = graphPlace()
  const { show } = place
  const question = questionOf(place)
  const asked = useAsked(show === 'map' ? undefined : question, (signal) => readView(place, signal), {
    live: place.asOf === undefined,
    everyMs: 4_000,
  })
  // With its question: while the next answer is on its way, the drawing must not take the old one for it.
  const answered = useRef<{ readonly view: GraphView; readonly question: string } | undefined>(undefined)
  if (asked.data !== undefined) answered.current = { view: asked.data, question }
  const waits = asked.loading && asked.error === undefined
  const shown = asked.data !== undefined || waits ? answered.current : undefined
  const view = shown?.view
  return (
    <Page
      title="Graph"
      wide
      toolbar={
        <div class="graph-toolbar">
          <NodeSearch
            label="Search in the graph"
            graph={view?.read.graph}
            onPick={(node) => go(place, node)}
            hotkey
          />
          <GraphChoices place={place} />
        </div>
      }
    >
      <GraphTabs place={place} />
      {show === 'map' ? (
        <MapPart place={place} />
      ) : (
        <>
          {show === 'paths' && <PathEnds place={place} />}
          {asked.error !== undefined && <Failure error={asked.error} onRetry={asked.retry} />}
          {view === undefined && asked.loading && <Loading what="the graph" />}
          {view === undefined && !asked.loading && asked.error === undefined && <ChooseNode place={place} />}
          {view !== undefined && view.read.total.nodes === 0 && <EmptyGraph />}
          {shown !== undefined && shown.view.read.total.nodes > 0 && <FocusPart place={place} {...shown} />}
        </>
      )}
    </Page>
  )
}

function go({ show, colour }: GraphPlace, { id }: FoundNode): void {
  const about = show === 'impact' || show === 'dependencies' || show === 'paths' ? show : undefined
  navigate('/graph', { show: about, of: id, colour: colour === 'health' ? undefined : colour })
}

/** The two ends of the paths. */
function PathEnds({ place }: { readonly place: GraphPlace }) {
  return (
    <div class="path-ends">
      <NodeSearch
        label={place.of === undefined ? 'From which node' : `From ${place.of}`}
        onPick={({ id }) => navigate('/graph', { show: 'paths', of: id, to: place.to })}
      />
      <span aria-hidden="true">→</span>
      <NodeSearch
        label={place.to === undefined ? 'To which node' : `To ${place.to}`}
        onPick={({ id }) => navigate('/graph', { show: 'paths', of: place.of, to: id })}
      />
    </div>
  )
}

function ChooseNode({ place }: { readonly place: GraphPlace }) {
  return (
    <Empty title={place.show === 'paths' ? 'Choose both ends of the paths.' : 'Choose a node.'}>
      <p>Search it above by its name, or select one on the map or among the problems.</p>
    </Empty>
  )
}
