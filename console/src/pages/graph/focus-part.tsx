import { useMemo } from 'preact/hooks'
import type { Arrangement } from '../../drawing/focus/use-layout.ts'
import { type DrawnGraph, partOf } from '../../drawing/model/drawn-graph.ts'
import type { Marks } from '../../drawing/model/marks.ts'
import { type ShownPart, shownPart } from '../../drawing/model/shown-part.ts'
import { Revision, Time } from '../../parts/time.tsx'
import { setQuery } from '../../state/location.ts'
import type { GraphPlace } from './graph-place.ts'
import { DrawingBoard } from './parts/drawing-board.tsx'
import { ProblemList } from './parts/problem-list.tsx'
import type { GraphView } from './views/graph-view.ts'

/** More cannot be read in one drawing. What is left out is counted at its neighbours. */
const MOST_NODES = 200
const MOST_EDGES = 320

/** The answer to a question about the graph, as a focus drawing. */
export function FocusPart({
  place,
  view,
  question,
}: {
  readonly place: GraphPlace
  readonly view: GraphView
  /** The one that `view` answers, which may be the one before that of `place`. */
  readonly question: string
}) {
  const { read, centre, strong, steps } = view
  // Live answers that change nothing must not be drawn again.
  const content = JSON.stringify([read.graph, view.from, [...(view.only ?? [])], [...(strong ?? [])]])
  const part = useMemo(
    () => partOfView(view, place.opened),
    [content, place.depth, place.opened.join('\n'), view.follow],
  )
  const arrangement: Arrangement = {
    kind: steps ? 'steps' : 'layers',
    ...(steps ? { distances: part.distances, fromRight: view.follow === 'neededBy' } : {}),
  }
  const marks: Marks = {
    ...(centre === undefined ? {} : { centre }),
    ...(strong === undefined ? {} : { strong }),
    ...(centre === undefined && view.from[0] !== undefined ? { start: view.from[0] } : {}),
    hidden: part.hidden,
    ...(steps ? { quiet: quietEdges(part) } : {}),
  }
  const { nodes } = read.total
  return (
    <>
      <p class="graph-sentence" role="status">
        {view.sentence}
      </p>
      <DrawingBoard
        graph={part.graph}
        title={view.sentence}
        question={question}
        arrangement={arrangement}
        marks={marks}
        colour={place.colour}
        shown={`${part.graph.nodes.length.toLocaleString('en')} of ${nodes.toLocaleString('en')} shown`}
        heading={(distance) => (distance === 0 ? '' : distance === 1 ? '1 step' : `${distance} steps`)}
        onOpen={(id) => setQuery({ open: [...place.opened, id] }, { replace: false })}
        exported={exportedPart(place, view)}
        tools={
          <span class="quiet">
            <Revision of={read.revision} link /> {read.at !== undefined && <Time at={read.at} />}
          </span>
        }
      >
        {view.problems !== undefined && (
          <ProblemList problems={view.problems} onSelect={(id) => setQuery({ selected: id })} />
        )}
      </DrawingBoard>
    </>
  )
}

/** Edges on no shortest way to the node that the steps begin at. */
function quietEdges({ graph, distances }: ShownPart): ReadonlySet<string> {
  const far = (id: string) => distances.get(id) ?? 0
  return new Set(
    graph.edges.filter(({ source, target }) => Math.abs(far(source) - far(target)) !== 1).map(({ id }) => id),
  )
}

function partOfView(view: GraphView, opened: readonly string[]): ShownPart {
  const { read, from, follow, depth, only } = view
  const graph: DrawnGraph = only === undefined ? read.graph : partOf(read.graph, only)
  return shownPart(graph, { from, opened, follow, depth, mostNodes: MOST_NODES, mostEdges: MOST_EDGES })
}

/** The same part as a question to the API. Problems and cycles have none: their export is the whole graph. */
function exportedPart({ show, of, depth, asOf, namespace }: GraphPlace, { centre }: GraphView) {
  const moment = { asOf, namespace }
  if (of === undefined || centre === undefined || show === 'paths') return moment
  const direction = show === 'impact' ? 'neededBy' : show === 'dependencies' ? 'needs' : 'both'
  return { ...moment, around: centre, depth, direction }
}
