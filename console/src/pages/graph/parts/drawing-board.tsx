import type { ComponentChildren } from 'preact'
import { useMemo, useRef } from 'preact/hooks'
import type { Query } from '../../../api/client.ts'
import { FocusView } from '../../../drawing/focus/focus-view.tsx'
import { svgFile } from '../../../drawing/focus/svg-file.ts'
import type { Arrangement } from '../../../drawing/focus/use-layout.ts'
import { Legend } from '../../../drawing/legend.tsx'
import type { DrawnGraph } from '../../../drawing/model/drawn-graph.ts'
import type { Marks } from '../../../drawing/model/marks.ts'
import { type Colour, tonesOf } from '../../../drawing/model/tones.ts'
import { query, setQuery } from '../../../state/location.ts'
import { ExportsMenu } from './exports-menu.tsx'
import { GraphTables } from './graph-tables.tsx'
import { NodePanel } from './node-panel.tsx'
import '../graph.css'

export interface DrawingBoardProps {
  readonly graph: DrawnGraph
  readonly title: string
  /** A text that is another one when the drawing is about something else: then it is shown from its beginning. */
  readonly question: string
  readonly arrangement: Arrangement
  readonly marks: Marks
  readonly colour: Colour
  /** "212 of 1,340 shown". */
  readonly shown: string
  readonly heading?: (distance: number) => string
  readonly onOpen?: (id: string) => void
  readonly present?: ReadonlySet<string>
  /** Parameters of the exports of the API. */
  readonly exported: Query
  /** Beside the words above the drawing. */
  readonly tools?: ComponentChildren
  /** In the column beside the drawing. */
  readonly children?: ComponentChildren
}

/** A drawing with all that belongs to it: its legend, the selected node, and the same as tables. */
export function DrawingBoard(props: DrawingBoardProps) {
  const { graph, marks, arrangement, colour, onOpen } = props
  const selected = query('selected')
  const select = (id: string | undefined) => setQuery({ selected: id })
  const tones = useMemo(() => tonesOf(graph, colour), [graph, colour])
  const svg = useRef<SVGSVGElement | null>(null)
  const node = graph.nodes.find(({ id }) => id === selected)
  const signs = [...new Set(marks.signs?.values() ?? [])]
  const { distances } = arrangement
  return (
    <div class="board">
      <div class="board-main">
        <div class="board-bar">
          <strong class="board-shown">{props.shown}</strong>
          {props.tools}
          <ExportsMenu query={props.exported} svg={() => fileOf(svg.current)} />
        </div>
        <div class="board-drawing">
          <FocusView
            graph={graph}
            arrangement={arrangement}
            question={props.question}
            title={props.title}
            marks={marks}
            tones={tones}
            selected={node?.id}
            onSelect={select}
            {...(onOpen === undefined ? {} : { onOpen })}
            {...(props.present === undefined ? {} : { present: props.present })}
            {...(props.heading === undefined ? {} : { heading: props.heading })}
            svg={(element) => {
              svg.current = element
            }}
          />
        </div>
        <Legend tones={tones} graph={graph} signs={signs} />
        <p class="board-keys quiet">
          Tab and the arrow keys go from node to node, Enter selects one. + and − change the size, 0 shows
          everything.
        </p>
      </div>
      <div class="board-side">
        <div class="board-about">
          {node !== undefined && (
            <NodePanel
              node={node}
              graph={graph}
              sign={marks.signs?.get(node.id)}
              hidden={marks.hidden?.get(node.id) ?? 0}
              onSelect={select}
              onOpen={onOpen}
            />
          )}
          {props.children}
        </div>
        <GraphTables
          graph={graph}
          distances={arrangement.kind === 'steps' ? distances : undefined}
          signs={marks.signs}
          onSelect={select}
        />
      </div>
    </div>
  )
}

function fileOf(element: SVGSVGElement | null): string | undefined {
  const world = element?.querySelector<SVGGElement>('.world')
  if (element === null || world === null || world === undefined) return undefined
  const { x, y, width, height } = world.getBBox()
  return svgFile(element, { width: x + width + 24, height: y + height + 24 })
}
