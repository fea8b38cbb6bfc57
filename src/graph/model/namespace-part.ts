import { namespaceOfNodeId } from '../../records/graph/graph-id.ts'
import type { Steps } from '../../scheduling/pace.ts'
import type { GraphReader } from './graph-reader.ts'

const [UNKNOWN, INSIDE, OUTSIDE] = [0, 1, 2]

/** The part of a graph that belongs to one namespace. It looks at the id of each node once. */
export class NamespacePart {
  readonly #graph: GraphReader
  readonly #namespace: string
  readonly #known: Uint8Array
  /** For each type of edges, whether its edges count. `undefined`: all do. */
  readonly #types: readonly boolean[] | undefined

  /** @param edgeTypes only edges of these types have far ends. @default all */
  constructor(graph: GraphReader, namespace: string, edgeTypes?: readonly string[]) {
    this.#graph = graph
    this.#namespace = namespace
    this.#known = new Uint8Array(graph.nodeBound)
    this.#types = edgeTypes && graph.edgeTypes.map((type) => edgeTypes.includes(type))
  }

  /** Whether a node is in the namespace. */
  has(node: number): boolean {
    const known = this.#known[node]
    if (known !== UNKNOWN) return known === INSIDE
    const inside = namespaceOfNodeId(this.#graph.idOf(node)) === this.#namespace
    this.#known[node] = inside ? INSIDE : OUTSIDE
    return inside
  }

  /** Whether one of the nodes is in the namespace. */
  *hasSome(nodes: readonly number[]): Steps<boolean> {
    for (const node of nodes) {
      if (this.has(node)) return true
      yield
    }
    return false
  }

  /** Whether a node is in the namespace, or is the far end of an edge of such a node. */
  shows(node: number): boolean {
    return this.has(node) || this.#hasNeighbor('out', node) || this.#hasNeighbor('in', node)
  }

  #hasNeighbor(side: 'out' | 'in', node: number): boolean {
    const { kind } = this.#graph.edges
    const [list, others] = [this.#graph[side].of(node), this.#graph[side].othersOf(node)]
    for (let at = 0; at < others.length; at += 1) {
      const counts = this.#types === undefined || this.#types[(kind[list[at] as number] as number) >> 2]
      if (counts && this.has(others[at] as number)) return true
    }
    return false
  }
}

/** Tells which nodes a list shows: with a namespace, its nodes and the far ends of their edges; without one, every node. */
export function shownIn(
  graph: GraphReader,
  {
    namespace,
    edgeTypes,
  }: { readonly namespace?: string | undefined; readonly edgeTypes?: readonly string[] | undefined },
): (node: number) => boolean {
  if (namespace === undefined) return () => true
  const part = new NamespacePart(graph, namespace, edgeTypes)
  return (node) => part.shows(node)
}
