import { useMemo, useRef, useState } from 'preact/hooks'
import { type DrawnGraph, needOf } from '../model/drawn-graph.ts'
import type { Marks } from '../model/marks.ts'
import { neighboursOf } from '../model/neighbours.ts'
import type { Tones } from '../model/tones.ts'
import { shownText } from '../text/shown-text.ts'
import { loop } from './edge-path.ts'
import { FocusEdge } from './focus-edge.tsx'
import { FocusNode, HiddenMarker } from './focus-node.tsx'
import { isArrow, nextNode } from './next-node.ts'
import { nodeName } from './node-box.ts'
import type { LaidOut } from './use-layout.ts'
import { useViewport } from './use-viewport.ts'
import { ZoomButtons } from './zoom-buttons.tsx'
import '../drawing.css'

export interface FocusDrawingProps {
  readonly laidOut: LaidOut
  /** What the drawing shows, for screen readers: "What needs flagd". */
  readonly title: string
  readonly marks: Marks
  readonly tones: Tones
  readonly selected: string | undefined
  readonly onSelect: (id: string | undefined) => void
  /** Shows the hidden neighbours of a node. */
  readonly onOpen?: (id: string) => void
  /** Nodes and edges that exist at the moment that is shown. The others keep their places, empty. Default: all. */
  readonly present?: ReadonlySet<string>
  /** The word above a column of steps. */
  readonly heading?: (distance: number) => string
  readonly svg?: (element: SVGSVGElement | null) => void
}

/** Up to about two hundred nodes as boxes and arrows. Each node can be reached by keyboard: Tab, then arrow keys. */
export function FocusDrawing(props: FocusDrawingProps) {
  const { laidOut, marks, tones, selected, onSelect, onOpen, present, heading } = props
  const { graph, boxes, layout } = laidOut
  const frame = useRef<SVGSVGElement>(null)
  const [near, setNear] = useState<string>()
  const [current, setCurrent] = useState<string>()
  const start = marks.start ?? marks.centre
  const centre = start === undefined ? undefined : layout.places.get(start)
  const { view, zoom, showAll, reveal, panned } = useViewport(frame, {
    drawing: layout,
    centre,
    whole: marks.whole ?? false,
    question: laidOut.question,
  })
  const facts = useMemo(() => factsOf(graph), [graph])
  const exists = (id: string) => present?.has(id) ?? true

  const stop = [current, selected, marks.centre, graph.nodes[0]?.id].find(
    (id) => id !== undefined && layout.places.has(id) && exists(id),
  )
  const about = near ?? (selected !== undefined && layout.places.has(selected) ? selected : undefined)
  const beside = about === undefined ? undefined : facts.both.get(about)
  const isFaded = (id: string) => about !== undefined && id !== about && !(beside?.has(id) ?? false)

  function focus(id: string): void {
    setCurrent(id)
    const [place, box] = [layout.places.get(id), boxes.get(id)]
    if (place !== undefined && box !== undefined) reveal({ ...place, width: box.width, height: box.height })
    frame.current
      ?.querySelector<SVGGElement>(`[data-node="${CSS.escape(id)}"]`)
      ?.focus({ preventScroll: true })
  }

  function onKeyDown(event: KeyboardEvent): void {
    const { key } = event
    const from = (event.target as Element).closest('[data-node]')?.getAttribute('data-node') ?? stop
    if (isArrow(key) && from !== undefined && from !== null) {
      const places =
        present === undefined ? layout.places : new Map([...layout.places].filter(([id]) => exists(id)))
      const next = nextNode(places, from, key)
      if (next !== undefined) focus(next)
    } else if ((key === 'Enter' || key === ' ') && from !== undefined && from !== null) onSelect(from)
    else if (key === 'Escape' && selected !== undefined) onSelect(undefined)
    else if (key === '+' || key === '=') zoom(1.25)
    else if (key === '-') zoom(0.8)
    else if (key === '0') showAll()
    else return
    event.preventDefault()
  }

  return (
    <div class="drawing-frame">
      {/* biome-ignore lint/a11y/useSemanticElements: SVG has no fieldset */}
      <svg
        ref={(element) => {
          frame.current = element
          props.svg?.(element)
        }}
        class="drawing focus-drawing"
        role="group"
        aria-label={props.title}
        onKeyDown={onKeyDown}
        onClick={({ target }) => {
          if (!panned() && (target as Element).closest('[role=button]') === null) onSelect(undefined)
        }}
      >
        <title>{props.title}</title>
        <g
          class="world"
          transform={`translate(${view.x.toFixed(2)},${view.y.toFixed(2)}) scale(${view.scale.toFixed(4)})`}
        >
          {layout.headings.map(({ x, distance }) => (
            <text key={distance} class="heading" x={x} y={30} text-anchor="middle" font-size={12}>
              {heading?.(distance) ?? distance}
            </text>
          ))}
          <g class="edges">
            {graph.edges.map((edge) => {
              const place = layout.places.get(edge.source)
              const box = boxes.get(edge.source)
              if (place === undefined || box === undefined || !exists(edge.id)) return null
              const reversed = facts.reversed.has(edge.id)
              const route =
                edge.source === edge.target
                  ? loop(place, box.width, box.height)
                  : (layout.routes.get(edge.id) ?? [])
              const lit = about === edge.source || about === edge.target
              return (
                <FocusEdge
                  key={edge.id}
                  edge={edge}
                  points={reversed ? route.toReversed() : route}
                  unresolved={facts.unresolved.has(edge.source) || facts.unresolved.has(edge.target)}
                  sign={marks.signs?.get(edge.id)}
                  strong={marks.strong?.has(edge.id) ?? false}
                  quiet={!lit && (marks.quiet?.has(edge.id) ?? false)}
                  lit={lit}
                  faded={about !== undefined && !lit}
                  labelled={edge.type !== facts.usualType && (facts.fewLabels || lit)}
                />
              )
            })}
          </g>
          {graph.nodes.map((node) => {
            const [box, place] = [boxes.get(node.id), layout.places.get(node.id)]
            if (box === undefined || place === undefined || !exists(node.id)) return null
            const counts = {
              needs: facts.needs.get(node.id)?.size ?? 0,
              neededBy: facts.neededBy.get(node.id)?.size ?? 0,
            }
            const faded = isFaded(node.id)
            const hidden = marks.hidden?.get(node.id) ?? 0
            return (
              <g key={node.id}>
                <FocusNode
                  box={box}
                  place={place}
                  tone={tones.of(node)}
                  name={nodeName(node, box, counts)}
                  title={shownText(`${node.label}\n${node.id}`.slice(0, 600)).replace('\ufffd', '\n')}
                  type={node.type}
                  unresolved={node.unresolved}
                  sign={marks.signs?.get(node.id)}
                  centre={node.id === marks.centre}
                  strong={marks.strong?.has(node.id) ?? false}
                  selected={node.id === selected}
                  faded={faded}
                  stop={node.id === stop}
                  onSelect={() => {
                    if (panned()) return
                    setCurrent(node.id)
                    onSelect(node.id)
                  }}
                  onNear={(is) => setNear(is ? node.id : undefined)}
                />
                {hidden > 0 && onOpen !== undefined && (
                  <HiddenMarker
                    box={box}
                    place={place}
                    count={hidden}
                    name={shownText(node.label)}
                    faded={faded}
                    onOpen={() => onOpen(node.id)}
                  />
                )}
              </g>
            )
          })}
        </g>
      </svg>
      <ZoomButtons zoom={zoom} showAll={showAll} />
    </div>
  )
}

/** Above this, types of edges are written only beside the node that the pointer is on. */
const MOST_LABELS = 60

function factsOf(graph: DrawnGraph) {
  const types = Object.entries(Object.groupBy(graph.edges, ({ type }) => type))
  const [usual] = types.toSorted(([, one], [, other]) => (other?.length ?? 0) - (one?.length ?? 0))
  const usualType = usual?.[0]
  return {
    needs: neighboursOf(graph, 'needs'),
    neededBy: neighboursOf(graph, 'neededBy'),
    both: neighboursOf(graph, 'both'),
    unresolved: new Set(graph.nodes.filter(({ unresolved }) => unresolved).map(({ id }) => id)),
    /** Edges that are laid out against their arrow. */
    reversed: new Set(
      graph.edges.filter((edge) => needOf(edge).consumer !== edge.source).map(({ id }) => id),
    ),
    usualType,
    fewLabels: graph.edges.filter(({ type }) => type !== usualType).length <= MOST_LABELS,
  }
}
