import type { Point } from '../layout/layout.ts'
import { SIGNS, type Sign } from '../model/marks.ts'
import type { Tone } from '../model/tones.ts'
import { DETAIL_SIZE, LABEL_SIZE, type NodeBox, PADDING } from './node-box.ts'

export interface FocusNodeProps {
  readonly box: NodeBox
  readonly place: Point
  readonly tone: Tone
  readonly name: string
  readonly title: string
  readonly type: string
  readonly unresolved: boolean
  readonly sign: Sign | undefined
  readonly centre: boolean
  readonly strong: boolean
  readonly selected: boolean
  readonly faded: boolean
  /** Whether the Tab key stops here. Of all nodes it stops at one only; arrow keys lead on. */
  readonly stop: boolean
  readonly onSelect: () => void
  readonly onNear: (near: boolean) => void
}

/** One node: a box with a stripe in its colour, its name, and what is to be known at a glance. */
export function FocusNode(props: FocusNodeProps) {
  const { box, place, sign, name } = props
  const [left, top] = [-box.width / 2, -box.height / 2]
  const classes = ['node']
  for (const flag of ['unresolved', 'centre', 'strong', 'selected', 'faded'] as const)
    if (props[flag]) classes.push(flag)
  return (
    // biome-ignore lint/a11y/useSemanticElements: SVG has no button
    <g
      class={classes.join(' ')}
      data-node={box.id}
      data-tone={props.tone}
      data-type={props.type}
      {...(sign === undefined ? {} : { 'data-sign': sign })}
      transform={`translate(${place.x.toFixed(1)},${place.y.toFixed(1)})`}
      role="button"
      tabindex={props.stop ? 0 : -1}
      aria-label={sign === undefined ? name : `${name}, ${SIGNS[sign].sign} ${SIGNS[sign].word}`}
      aria-pressed={props.selected}
      onClick={props.onSelect}
      onPointerEnter={() => props.onNear(true)}
      onPointerLeave={() => props.onNear(false)}
    >
      <title>{props.title}</title>
      <rect class="box" x={left} y={top} width={box.width} height={box.height} rx={9} />
      <rect class="stripe" x={left + 5} y={top + 8} width={4} height={box.height - 16} rx={2} />
      <text class="label" x={left + PADDING.left} y={-2} font-size={LABEL_SIZE}>
        {box.label}
      </text>{' '}
      <text class="detail" x={left + PADDING.left} y={12.5} font-size={DETAIL_SIZE}>
        {box.detail}
      </text>
      {sign !== undefined && (
        <g class="sign" transform={`translate(${left + 2},${top + 2})`}>
          <circle r={9} />
          <text class="sign-word" y={4.5} text-anchor="middle" font-size={13}>
            {SIGNS[sign].sign}
          </text>
        </g>
      )}
    </g>
  )
}

export interface HiddenMarkerProps {
  readonly box: NodeBox
  readonly place: Point
  readonly count: number
  readonly name: string
  readonly faded: boolean
  readonly onOpen: () => void
}

/** Says how many neighbours of a node are not shown, and shows them. The keyboard finds the same in the panel of the selected node. */
export function HiddenMarker({ box, place, count, name, faded, onOpen }: HiddenMarkerProps) {
  const text = `+${count}`
  const width = 12 + text.length * 7
  const [x, y] = [place.x + box.width / 2 - width + 6, place.y + box.height / 2 - 8]
  return (
    // biome-ignore lint/a11y/useSemanticElements: SVG has no button
    <g
      class={faded ? 'more faded' : 'more'}
      transform={`translate(${x.toFixed(1)},${y.toFixed(1)})`}
      role="button"
      tabindex={-1}
      aria-label={`Show ${count} more beside ${name}`}
      onClick={onOpen}
      onKeyDown={({ key }) => {
        if (key === 'Enter') onOpen()
      }}
    >
      <title>{`${count} neighbours are not shown. Click to show them.`}</title>
      <rect width={width} height={17} rx={8.5} />
      <text x={width / 2} y={12.5} text-anchor="middle" font-size={11}>
        {text}
      </text>
    </g>
  )
}
