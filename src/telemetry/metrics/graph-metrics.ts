import type { Meters } from './meters.ts'

interface GraphFigures {
  readonly nodes: number
  readonly edges: number
  /** Nodes that others refer to and that nobody has registered. */
  readonly unresolved: number
  readonly edgesByType: ReadonlyMap<string, number>
  /** Differences that the last comparison with a rebuilt graph found. */
  readonly rebuildDifferences: number
}

export interface GraphSources {
  registeredServices(): number
  graph(): GraphFigures
}

/** The registry and the knowledge graph. */
export function graphMetrics(meters: Meters, sources: Partial<GraphSources>): void {
  meters.gauges({
    coordinator_registered_services: ['Services in the registry.', () => sources.registeredServices?.()],
    coordinator_graph_nodes: ['Nodes of the knowledge graph.', () => sources.graph?.().nodes],
    coordinator_graph_edges: ['Edges of the knowledge graph.', () => sources.graph?.().edges],
    coordinator_graph_unresolved_nodes: [
      'Nodes of the knowledge graph that others refer to and that nobody has registered.',
      () => sources.graph?.().unresolved,
    ],
    coordinator_graph_rebuild_differences: [
      'Differences that the last comparison with a rebuilt graph found. There must be none.',
      () => sources.graph?.().rebuildDifferences,
    ],
  })
  meters.changingGauge(['type'], {
    name: 'coordinator_graph_edges_by_type',
    help: 'Edges of the knowledge graph by type. All edges of rare types count together as other.',
    read: () => {
      const counts = largestTypes(sources.graph?.().edgesByType ?? new Map())
      return [...new Map([['depends_on', 0], ...counts])].map(([type, value]) => ({
        labels: { type },
        value,
      }))
    },
  })
}

/** Clients choose the types of the edges that they assert. Their number must not become the number of series. */
function largestTypes(types: ReadonlyMap<string, number>): readonly (readonly [string, number])[] {
  const sorted = [...types].sort((left, right) => right[1] - left[1])
  const rest = sorted.slice(20).reduce((sum, [, count]) => sum + count, 0)
  return rest === 0 ? sorted.slice(0, 20) : [...sorted.slice(0, 20), ['other', rest]]
}
