import type { DrawnGraph } from './model/drawn-graph.ts'
import { SIGNS, type Sign } from './model/marks.ts'
import type { Tones } from './model/tones.ts'
import { shownText } from './text/shown-text.ts'

export interface LegendProps {
  readonly tones: Tones
  readonly graph: DrawnGraph
  readonly signs?: readonly Sign[]
}

/** What the colours, the lines and the signs of a drawing mean. Only what the drawing has. */
export function Legend({ tones, graph, signs = [] }: LegendProps) {
  const missing = new Set(graph.nodes.filter(({ unresolved }) => unresolved).map(({ id }) => id))
  const lines: { readonly name: string; readonly dashes: string | undefined; readonly tone?: string }[] = []
  const origins = new Set(graph.edges.map(({ origin }) => origin))
  if (origins.has('declared')) lines.push({ name: 'declared by a service', dashes: undefined })
  if (origins.has('asserted')) lines.push({ name: 'asserted by a client', dashes: '1.5 3.5' })
  if (origins.has('observed')) lines.push({ name: 'observed in traffic', dashes: undefined })
  if (graph.edges.some(({ source, target }) => missing.has(source) || missing.has(target)))
    lines.push({ name: 'to something not registered', dashes: '6 4', tone: 'missing' })
  return (
    <ul class="legend" aria-label="Legend">
      {tones.legend.map(({ tone, word, count }) => (
        <li key={word} data-tone={tone}>
          <span class="swatch" />
          {shownText(word)} ({count})
        </li>
      ))}
      {lines.map(({ name, dashes, tone }) => (
        <li key={name} data-tone={tone}>
          <svg aria-hidden="true" viewBox="0 0 26 10">
            <path
              d="M1 5H25"
              class={tone === undefined ? 'legend-line' : 'legend-line toned'}
              stroke-dasharray={dashes}
            />
          </svg>
          {name}
        </li>
      ))}
      {signs.map((sign) => (
        <li key={sign} data-sign={sign}>
          <span class="legend-sign">{SIGNS[sign].sign}</span>
          {SIGNS[sign].word}
        </li>
      ))}
    </ul>
  )
}
