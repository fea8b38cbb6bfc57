import { COLOURS, type Colour } from '../../drawing/model/tones.ts'
import { asOf, namespace, query, queryAll } from '../../state/location.ts'

/** What the page shows. */
export const SHOWS = ['problems', 'around', 'impact', 'dependencies', 'paths', 'cycles', 'map'] as const
export type Show = (typeof SHOWS)[number]

/** By what the map puts nodes together. `none` draws each node. */
export const GROUPS = ['namespace', 'owner', 'tag', 'type', 'health', 'none'] as const
export type GroupBy = (typeof GROUPS)[number]

/** The whole state of the page, from its address. */
export interface GraphPlace {
  readonly show: Show
  /** The node that it is about: an id, or the name of a service. */
  readonly of: string | undefined
  /** The other end of paths. */
  readonly to: string | undefined
  readonly depth: number
  /** Nodes whose hidden neighbours are shown, and opened groups of the map. */
  readonly opened: readonly string[]
  readonly colour: Colour
  readonly groupBy: GroupBy
  readonly selected: string | undefined
  readonly asOf: string | undefined
  readonly namespace: string | undefined
}

/** The largest `depth` that the page offers. */
export const MOST_DEPTH = 6
const FAR = 1_000

export function graphPlace(): GraphPlace {
  const of = query('of')
  const show = oneOf(SHOWS, query('show')) ?? (of === undefined ? 'problems' : 'around')
  return {
    show,
    of,
    to: query('to'),
    depth:
      depthOf(query('depth')) ??
      (show === 'impact' || show === 'dependencies' ? FAR : show === 'problems' ? 0 : 1),
    opened: queryAll('open'),
    colour: oneOf(COLOURS, query('colour')) ?? 'health',
    groupBy: oneOf(GROUPS, query('groupBy')) ?? 'tag',
    selected: query('selected'),
    asOf: asOf.value,
    namespace: namespace.value,
  }
}

/** What has to be asked again when it changes. */
export function questionOf(place: GraphPlace): string {
  const { show, of, to, depth, opened, colour, groupBy, asOf, namespace } = place
  return JSON.stringify([show, of, to, depth, opened, colour === 'owner', groupBy, asOf, namespace])
}

function oneOf<T extends string>(values: readonly T[], given: string | undefined): T | undefined {
  return values.find((value) => value === given)
}

function depthOf(given: string | undefined): number | undefined {
  const depth = Number(given)
  return given !== undefined && Number.isInteger(depth) && depth >= 0 && depth <= FAR ? depth : undefined
}
