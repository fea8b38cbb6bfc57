import { api } from '../../../api/client.ts'
import type { Diff, GraphAnswer } from '../../../api/types.ts'
import {
  type DrawnEdge,
  type DrawnGraph,
  type DrawnNode,
  joined,
  partOf,
} from '../../../drawing/model/drawn-graph.ts'
import type { Sign } from '../../../drawing/model/marks.ts'
import { noHealth } from '../../graph/data/read-health.ts'
import { drawnEdge, drawnNode, toDrawn } from '../../graph/data/to-drawn.ts'

/** Two moments of the graph in one. */
export interface Difference {
  readonly diff: Diff
  /** What is drawn: everything that changed. It holds both moments, so that nothing moves between them. */
  readonly union: DrawnGraph
  readonly signs: ReadonlyMap<string, Sign>
  /** The ids of nodes and edges at each moment. */
  readonly before: ReadonlySet<string>
  readonly after: ReadonlySet<string>
  /** How many nodes the graph has in both moments together, as far as they were read. */
  readonly total: number
  /** Whether both graphs were read whole: then `total` is exact. */
  readonly exact: boolean
}

export interface Moments {
  /** A revision or a time. */
  readonly from: string
  /** `undefined` is now. */
  readonly to: string | undefined
  readonly namespace: string | undefined
}

/** Up to so many nodes, both graphs are read whole. */
const WHOLE_NODES = 600
/** The most nodes of a drawing. */
const MOST_NODES = 200
const MOST_CHANGES = 1_000

/** @throws ApiError, such as COORD_REVISION_GONE for a moment that is no longer kept */
export async function readDifference(moments: Moments, signal: AbortSignal): Promise<Difference> {
  const { from, to, namespace } = moments
  const query = { from, to, namespace, limit: MOST_CHANGES }
  const diff = await api.get<Diff>('/knowledge-graph/diff', { query, signal })
  const [earlier, later] = [
    await wholeGraph({ asOf: String(diff.from), namespace }, signal),
    await wholeGraph({ asOf: String(diff.to), namespace }, signal),
  ]
  const signs = new Map<string, Sign>()
  for (const { id, change } of [...diff.nodes, ...diff.edges]) signs.set(id, change)
  const changed = changedPart(diff)
  // The later state of a node is the one to show, and what is gone has only an earlier one.
  const everything = joined([
    ...(later === undefined ? [] : [later]),
    ...(earlier === undefined ? [] : [earlier]),
    changed,
  ])
  const union = nearChanges(everything, signs)
  return {
    diff,
    union,
    signs,
    before: idsWithout(union, signs, 'added'),
    after: idsWithout(union, signs, 'removed'),
    total: everything.nodes.length,
    exact: earlier !== undefined && later !== undefined,
  }
}

/** The graph of a moment, unless it is too large: then only the changes are drawn. */
async function wholeGraph(
  moment: { readonly asOf: string; readonly namespace: string | undefined },
  signal: AbortSignal,
): Promise<DrawnGraph | undefined> {
  const query = { ...moment, limit: WHOLE_NODES }
  const { knowledgeGraph } = await api.get<GraphAnswer>('/knowledge-graph', { query, signal })
  const { metadata, nodes, edges } = knowledgeGraph
  return metadata.complete ? toDrawn(nodes, edges, noHealth) : undefined
}

/** What the difference itself tells, with the ends of its edges. */
function changedPart({ nodes, edges }: Diff): DrawnGraph {
  const drawn = nodes.flatMap(({ before, after }): DrawnNode[] => {
    const shown = after ?? before
    return shown === undefined ? [] : [drawnNode(shown, noHealth)]
  })
  const lines = edges.flatMap(({ before, after }): DrawnEdge[] => {
    const shown = after ?? before
    return shown === undefined ? [] : [drawnEdge(shown)]
  })
  const ends = lines.flatMap(({ source, target }) => [source, target]).map(endNode)
  return joined([{ nodes: [...drawn, ...ends], edges: lines }])
}

/** The end of a changed edge that did not change itself: only its id is known. */
function endNode(id: string): DrawnNode {
  const [type = '', ...parts] = id.split(':')
  const label = decodeURIComponent(parts.at(-1) ?? id)
  return { id, label, type, namespace: 'default', unresolved: false, versions: [], instances: 0, tags: [] }
}

/** What changed, and both ends of what changed, as far as a drawing can hold it. Of an unchanged graph: some of it. */
function nearChanges(graph: DrawnGraph, signs: ReadonlyMap<string, Sign>): DrawnGraph {
  const wanted = new Set(graph.nodes.filter(({ id }) => signs.has(id)).map(({ id }) => id))
  for (const { id, source, target } of graph.edges)
    if (signs.has(id)) for (const end of [source, target]) wanted.add(end)
  if (wanted.size === 0) for (const { id } of graph.nodes) wanted.add(id)
  return partOf(graph, new Set([...wanted].slice(0, MOST_NODES)))
}

function idsWithout(
  { nodes, edges }: DrawnGraph,
  signs: ReadonlyMap<string, Sign>,
  sign: Sign,
): ReadonlySet<string> {
  return new Set([...nodes, ...edges].map(({ id }) => id).filter((id) => signs.get(id) !== sign))
}
