import { api } from '../../../api/client.ts'
import type { Cycles } from '../../../api/types.ts'
import { type Moment, readGraph } from '../data/read-graph.ts'
import { edgesAlong } from './edges-along.ts'
import type { GraphView } from './graph-view.ts'

/** Groups of nodes that need each other, with a shortest cycle of each. */
export async function readCycles(moment: Moment, signal: AbortSignal): Promise<GraphView> {
  const { cycles, total } = await api.get<Cycles>('/knowledge-graph/cycles', {
    query: { ...moment, limit: 12 },
    signal,
  })
  const centres = cycles.map(({ example }) => example[0] ?? '')
  const read = await readGraph(moment, { centres, follow: 'needs', depth: 1_000 }, signal)
  const circles = cycles.map(({ example }) => example)
  const members = cycles.flatMap(({ example, nodes }) => [...example, ...nodes])
  return {
    read,
    from: [...new Set(members)],
    only: new Set(members),
    follow: 'needs',
    depth: 0,
    steps: false,
    strong: new Set(circles.flatMap((circle) => [...circle, ...edgesAlong(read.graph, circle, 'round')])),
    sentence:
      total === 0
        ? 'No node needs itself, neither directly nor through others.'
        : `${total === 1 ? 'One group' : `${total.toLocaleString('en')} groups`} of nodes need each other: none of them can start first. The drawing highlights a shortest cycle of each.`,
    problems: cycles.map(({ size, example }) => ({
      kind: 'cycle',
      node: example[0] ?? '',
      title: `${size} nodes need each other`,
      detail: example.map((id) => read.graph.nodes.find((node) => node.id === id)?.label ?? id).join(' → '),
    })),
  }
}
