import { api } from '../../../api/client.ts'
import type { Reach } from '../../../api/types.ts'
import { joined } from '../../../drawing/model/drawn-graph.ts'
import type { Follow } from '../../../drawing/model/neighbours.ts'
import { type Moment, nodeIdOf, readGraph } from '../data/read-graph.ts'
import type { GraphView } from './graph-view.ts'

export interface ReachWanted {
  readonly show: 'around' | 'impact' | 'dependencies'
  readonly of: string
  readonly depth: number
  /** Opened nodes, which must be read with their neighbours. */
  readonly opened: readonly string[]
}

const FOLLOWS: Readonly<Record<ReachWanted['show'], Follow>> = {
  around: 'both',
  impact: 'neededBy',
  dependencies: 'needs',
}

/** One node and what is near it: its neighbourhood, who would break without it, or what it needs. */
export async function readReach(
  moment: Moment,
  wanted: ReachWanted,
  signal: AbortSignal,
): Promise<GraphView> {
  const { show, of, depth, opened } = wanted
  const follow = FOLLOWS[show]
  const [read, reach] = await Promise.all([
    readGraph(moment, { centres: [of], follow, depth: depth + 1 }, signal),
    show === 'around'
      ? undefined
      : api.get<Reach>(`/knowledge-graph/${show}`, { query: { ...moment, of, limit: 1 }, signal }),
  ])
  const centre = reach?.of ?? (await nodeIdOf(read, of, moment, signal))
  const beside =
    read.whole || opened.length === 0
      ? read
      : await readGraph(moment, { centres: opened, follow: 'both', depth: 1 }, signal)
  const label = read.graph.nodes.find(({ id }) => id === centre)?.label ?? of
  return {
    read: beside === read ? read : { ...read, graph: joined([read.graph, beside.graph]) },
    from: [centre],
    centre,
    follow,
    depth,
    steps: show !== 'around',
    sentence: sentenceOf(show, label, reach?.total ?? 0),
  }
}

function sentenceOf(show: ReachWanted['show'], label: string, total: number): string {
  const many = total === 1 ? '1 node' : `${total.toLocaleString('en')} nodes`
  if (show === 'around')
    return `The neighbours of ${label}: on the left what needs it, on the right what it needs.`
  if (show === 'impact')
    return total === 0 ? `Nothing needs ${label}.` : `If ${label} fails, ${many} may break, nearest first.`
  return total === 0 ? `${label} needs nothing.` : `${label} needs ${many}, nearest first.`
}
