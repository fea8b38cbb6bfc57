import type { GraphReader } from './graph-reader.ts'

/** How many nodes a search for a way back may look at. */
export const WAY_BACK_BUDGET = 10_000

/** What a search for a way back found: ids of nodes, each needing the next; nothing; or no answer within the budget. */
export type WayBack =
  | { readonly outcome: 'found'; readonly nodes: readonly string[] }
  | { readonly outcome: 'none' | 'unknown' }

/**
 * Finds how something among `starts` needs `end`. Looks from both sides in turn, always where fewer nodes wait, and ends
 * where one side has nothing left: for a service that nobody needs yet, at once.
 */
export function findWayBack(
  graph: GraphReader,
  { starts, end }: { readonly starts: readonly number[]; readonly end: number },
  budget = WAY_BACK_BUDGET,
): WayBack {
  const forward = new Side(graph.out, starts)
  const backward = new Side(graph.in, [end])
  const common = starts.find((start) => start === end)
  if (common !== undefined) return { outcome: 'found', nodes: [graph.idOf(end)] }
  while (forward.waiting.length > 0 && backward.waiting.length > 0) {
    if (forward.cameFrom.size + backward.cameFrom.size > budget) return { outcome: 'unknown' }
    const [side, other] =
      forward.waiting.length <= backward.waiting.length ? [forward, backward] : [backward, forward]
    const meeting = side.advance(other)
    if (meeting === undefined) continue
    const nodes = [...forward.wayTo(meeting).reverse(), ...backward.wayTo(meeting).slice(1)]
    return { outcome: 'found', nodes: nodes.map((node) => graph.idOf(node)) }
  }
  return { outcome: 'none' }
}

/** One side of the search: what it has seen, from where, and what it looks at next. */
class Side {
  readonly cameFrom = new Map<number, number>()
  waiting: number[] = []
  readonly #edges: GraphReader['out']

  constructor(edges: GraphReader['out'], starts: readonly number[]) {
    this.#edges = edges
    for (const start of starts) {
      if (this.cameFrom.has(start)) continue
      this.cameFrom.set(start, -1)
      this.waiting.push(start)
    }
  }

  /** Goes one step further from everything that waits. Returns a node that the other side knows, if it meets one. */
  advance(other: Side): number | undefined {
    const { start, length, others } = this.#edges
    const nextOnes: number[] = []
    for (const node of this.waiting) {
      const first = start[node] ?? 0
      for (let at = first; at < first + (length[node] ?? 0); at += 1) {
        const next = others[at] as number
        if (this.cameFrom.has(next)) continue
        this.cameFrom.set(next, node)
        if (other.cameFrom.has(next)) return next
        nextOnes.push(next)
      }
      // One node may have a hundred thousand neighbours; the budget of the caller is looked at soon.
      if (nextOnes.length > WAY_BACK_BUDGET) break
    }
    this.waiting = nextOnes
    return undefined
  }

  /** From a node back to where this side started. */
  wayTo(node: number): number[] {
    const way: number[] = []
    for (let at = node; at !== -1; at = this.cameFrom.get(at) as number) way.push(at)
    return way
  }
}
