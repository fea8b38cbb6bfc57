import type { Adjacency, GraphReader } from '../model/graph-reader.ts'

/** How many nodes a search for a path may look at. */
const PATH_BUDGET = 10_000

/** The result of a search for a path: ids of nodes, each of which needs the next one; nothing; or no answer within the budget. */
type Path = (
  | { readonly outcome: 'found'; readonly nodes: readonly string[] }
  | { readonly outcome: 'none' | 'unknown' }
) & {
  /** How many edges were looked at. */
  readonly looked: number
}

/**
 * Finds a path from any node of `from` to `to`, in the direction of need. It is a bidirectional search: it always continues on the side
 * with fewer waiting nodes, and ends when one side has nothing left. For a service that nobody needs yet, it ends at once.
 */
export function findPath(
  graph: GraphReader,
  { from, to }: { readonly from: readonly number[]; readonly to: number },
  budget = PATH_BUDGET,
): Path {
  if (from.includes(to)) return { outcome: 'found', nodes: [graph.idOf(to)], looked: 0 }
  marks.prepare(graph.nodeBound)
  const forward = new Side(graph.out, from)
  const backward = new Side(graph.in, [to])
  const looked = () => forward.looked + backward.looked
  while (forward.waiting.length > 0 && backward.waiting.length > 0) {
    if (forward.seen + backward.seen > budget) return { outcome: 'unknown', looked: looked() }
    const side = forward.waiting.length <= backward.waiting.length ? forward : backward
    const meeting = side.advance(budget)
    if (meeting === undefined) continue
    // The edge where both sides meet. Each side knows its own path to its end of the edge.
    const [near, far] = side === forward ? [meeting.from, meeting.to] : [meeting.to, meeting.from]
    const nodes = [...forward.pathTo(near).reverse(), ...backward.pathTo(far)]
    return { outcome: 'found', nodes: nodes.map((node) => graph.idOf(node)), looked: looked() }
  }
  return { outcome: 'none', looked: looked() }
}

/** For each node, the side of the search that has seen it, and its predecessor there. Searches reuse this without clearing it. */
class Marks {
  /** The number of the side that has seen the node. Every search uses two new numbers. */
  side = new Int32Array(0)
  predecessor = new Int32Array(0)
  #last = 0

  prepare(bound: number): void {
    if (this.side.length < bound || this.#last > 0x7ffffff0) {
      this.side = new Int32Array(Math.ceil(bound * 1.25))
      this.predecessor = new Int32Array(this.side.length)
      this.#last = 0
    }
  }

  nextSide(): number {
    this.#last += 1
    return this.#last
  }
}

const marks = new Marks()

/** One side of the search: the nodes that it has seen, and those that it looks at next. */
class Side {
  waiting: number[] = []
  seen = 0
  looked = 0
  readonly #edges: Adjacency
  readonly #number = marks.nextSide()
  /** The number of the other side. The first side of a search has an odd number. */
  readonly #other = this.#number % 2 === 1 ? this.#number + 1 : this.#number - 1

  constructor(edges: Adjacency, starts: readonly number[]) {
    this.#edges = edges
    for (const start of starts) if (marks.side[start] !== this.#number) this.#see(start, -1)
  }

  /** Goes one step further from all waiting nodes. Returns the edge that led to the other side, if there is one. */
  advance(budget: number): { readonly from: number; readonly to: number } | undefined {
    const { start, length, others } = this.#edges
    const nodes = this.waiting
    this.waiting = []
    for (const node of nodes) {
      const first = start[node] ?? 0
      const end = first + (length[node] ?? 0)
      this.looked += end - first
      for (let at = first; at < end; at += 1) {
        const next = others[at] as number
        const side = marks.side[next] as number
        if (side === this.#other) return { from: node, to: next }
        if (side !== this.#number) this.#see(next, node)
      }
      // A single node may have a hundred thousand neighbors. The caller checks the budget after this.
      if (this.seen > budget) break
    }
    return undefined
  }

  /** The path from a node back to the start of this side. */
  pathTo(node: number): number[] {
    const path: number[] = []
    for (let at = node; at !== -1; at = marks.predecessor[at] as number) path.push(at)
    return path
  }

  #see(node: number, predecessor: number): void {
    marks.side[node] = this.#number
    marks.predecessor[node] = predecessor
    this.seen += 1
    this.waiting.push(node)
  }
}
