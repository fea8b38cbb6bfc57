import type { Point } from '../layout/layout.ts'
import type { DrawnEdge } from '../model/drawn-graph.ts'
import { SIGNS, type Sign } from '../model/marks.ts'
import { shownText } from '../text/shown-text.ts'
import { arrow, curve, middleOf } from './edge-path.ts'

export interface FocusEdgeProps {
  readonly edge: DrawnEdge
  readonly points: readonly Point[]
  /** Whether an end of it is registered nowhere. */
  readonly unresolved: boolean
  readonly sign: Sign | undefined
  readonly strong: boolean
  /** Drawn fainter than the others. */
  readonly quiet: boolean
  readonly lit: boolean
  readonly faded: boolean
  /** Whether its type is written beside it. */
  readonly labelled: boolean
}

/** One edge. The table beside the drawing tells screen readers the same. */
export function FocusEdge(props: FocusEdgeProps) {
  const { edge, points, sign } = props
  const classes = ['edge']
  for (const flag of ['unresolved', 'strong', 'quiet', 'lit', 'faded'] as const)
    if (props[flag]) classes.push(flag)
  const middle = middleOf(points)
  return (
    <g
      class={classes.join(' ')}
      data-edge={edge.id}
      data-type={edge.type}
      data-origin={edge.origin}
      {...(sign === undefined ? {} : { 'data-sign': sign })}
    >
      <path class="reach" d={curve(points)} />
      <path class="line" d={curve(points)} />
      <path class="head" d={arrow(points)} />
      <title>
        {`${shownText(edge.source)} ${shownText(edge.type)} ${shownText(edge.target)}, ${edge.origin}${props.unresolved ? ', unresolved' : ''}${sign === undefined ? '' : `, ${SIGNS[sign].word}`}`}
      </title>
      {props.labelled && (
        <text class="word" x={middle.x} y={middle.y - 4} text-anchor="middle" font-size={10}>
          {shownText(edge.type)}
        </text>
      )}
      {sign !== undefined && (
        <text class="edge-sign" x={middle.x} y={middle.y + 5} text-anchor="middle" font-size={14}>
          {SIGNS[sign].sign}
        </text>
      )}
    </g>
  )
}
