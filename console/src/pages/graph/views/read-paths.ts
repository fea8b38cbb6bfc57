import { api } from '../../../api/client.ts'
import type { Paths } from '../../../api/types.ts'
import type { DrawnEdge, DrawnGraph, DrawnNode } from '../../../drawing/model/drawn-graph.ts'
import { type Moment, readGraph } from '../data/read-graph.ts'
import { edgesAlong } from './edges-along.ts'
import type { GraphView } from './graph-view.ts'

/** How one node needs another: the paths between them, shortest first. The shortest one is stressed. */
export async function readPaths(
  moment: Moment,
  { of, to }: { readonly of: string; readonly to: string },
  signal: AbortSignal,
): Promise<GraphView> {
  const query = { ...moment, from: of, to, limit: 10 }
  const { paths, from: start, to: end } = await api.get<Paths>('/knowledge-graph/paths', { query, signal })
  const depth = Math.max(0, ...paths.map(({ length }) => length))
  const read = await readGraph(moment, { centres: [start], follow: 'needs', depth }, signal)
  const nodes = paths.length === 0 ? [start, end] : paths.flatMap((path) => path.nodes)
  const graph = completed(read.graph, paths)
  const shortest = paths[0]?.nodes ?? []
  const [one, other] = [start, end].map((id) => graph.nodes.find((node) => node.id === id)?.label ?? id)
  return {
    read: { ...read, graph },
    from: [...new Set(nodes)],
    centre: start,
    follow: 'needs',
    depth: 0,
    steps: false,
    strong: new Set([...shortest, ...edgesAlong(graph, shortest, 'open')]),
    sentence:
      paths.length === 0
        ? `${one} does not need ${other}, neither directly nor through others.`
        : `${one} needs ${other} in ${paths.length === 1 ? 'one way' : `${paths.length} ways`}. The shortest one, of ${shortest.length - 1} ${shortest.length === 2 ? 'step' : 'steps'}, is highlighted.`,
  }
}

/** A path may lead through nodes that were not read, because the part around its start is too large. */
function completed(graph: DrawnGraph, paths: Paths['paths']): DrawnGraph {
  const known = new Set(graph.nodes.map(({ id }) => id))
  const nodes: DrawnNode[] = []
  const edges: DrawnEdge[] = []
  for (const { nodes: path } of paths)
    for (const [at, id] of path.entries()) {
      const next = path[at + 1]
      if (!known.has(id)) {
        known.add(id)
        nodes.push(unreadNode(id))
      }
      if (next !== undefined && edgesAlong(graph, [id, next], 'open').length === 0)
        edges.push({ id: `${id},needs,${next}`, source: id, target: next, type: 'needs', origin: 'declared' })
    }
  return { nodes: [...graph.nodes, ...nodes], edges: [...graph.edges, ...edges] }
}

function unreadNode(id: string): DrawnNode {
  const [type = '', ...parts] = id.split(':')
  const label = parts.at(-1) ?? id
  return { id, label, type, namespace: 'default', unresolved: false, versions: [], instances: 0, tags: [] }
}
