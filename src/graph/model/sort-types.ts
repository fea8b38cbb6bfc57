import type { GraphReader } from './graph-reader.ts'

/** Types that a question is narrowed to. */
export interface TypeFilter {
  /** Of nodes or of edges, whichever the graph has. */
  readonly types?: readonly string[] | undefined
  readonly nodeTypes?: readonly string[] | undefined
  readonly edgeTypes?: readonly string[] | undefined
}

/** Types of edges that services make; others come with what is asserted. */
const derivedEdgeTypes: ReadonlySet<string> = new Set([
  'depends_on',
  'calls',
  'exposes',
  'provides',
  'requires',
  'publishes',
  'subscribes',
  'owns',
  'reads',
  'writes',
])

/**
 * Sorts `types` into types of edges, where the graph has such edges, and types of nodes. To be asked of the graph that is
 * searched: whether it has edges of a type depends on the moment, and on nothing that a coordinator happens to remember.
 */
export function sortTypes<T extends TypeFilter>(graph: GraphReader, wanted: T): T {
  const { types = [] } = wanted
  if (types.length === 0) return wanted
  const present = typesOfEdges(graph, types)
  const edges = types.filter((type) => derivedEdgeTypes.has(type) || present.has(type))
  const nodes = types.filter((type) => !edges.includes(type))
  return {
    ...wanted,
    ...(nodes.length === 0 ? {} : { nodeTypes: [...(wanted.nodeTypes ?? []), ...nodes] }),
    ...(edges.length === 0 ? {} : { edgeTypes: [...(wanted.edgeTypes ?? []), ...edges] }),
  }
}

/** Which of the types some edge has. A graph may know types of which the last edge has gone. */
function typesOfEdges(graph: GraphReader, types: readonly string[]): ReadonlySet<string> {
  const missing = new Set(
    types.filter((type) => !derivedEdgeTypes.has(type)).map((type) => graph.edgeTypes.indexOf(type)),
  )
  missing.delete(-1)
  const present = new Set<string>()
  const { slots, kind, refs } = graph.edges
  for (let edge = 0; edge < slots && missing.size > 0; edge += 1) {
    const type = (kind[edge] as number) >> 2
    if (refs[edge] !== 0 && missing.delete(type)) present.add(graph.edgeTypes[type] as string)
  }
  return present
}
