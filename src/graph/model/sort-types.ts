import type { GraphReader } from './graph-reader.ts'

/** Types to which a question is restricted. */
export interface TypeFilter {
  /** Types of nodes or of edges. The names of types in the graph decide which of the two is meant. */
  readonly types?: readonly string[] | undefined
  readonly nodeTypes?: readonly string[] | undefined
  readonly edgeTypes?: readonly string[] | undefined
}

/** Types of edges that services declare. Assertions may add others. */
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
 * Separates `types` into types of edges, if the graph has such edges, and types of nodes. It must use the graph that is searched: whether
 * there are edges of a type depends only on the moment, and not on what a coordinator happens to remember.
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

/** The types that some edge has. A graph may know types whose last edge is gone. */
function typesOfEdges(graph: GraphReader, types: readonly string[]): ReadonlySet<string> {
  const missing = new Set(
    types.filter((type) => !derivedEdgeTypes.has(type)).map((type) => graph.edgeTypes.indexOf(type)),
  )
  missing.delete(-1)
  const present = new Set<string>()
  const { bound, kind, refs } = graph.edges
  for (let edge = 0; edge < bound && missing.size > 0; edge += 1) {
    const type = (kind[edge] as number) >> 2
    if (refs[edge] !== 0 && missing.delete(type)) present.add(graph.edgeTypes[type] as string)
  }
  return present
}
