import type { GraphReader } from '../model/graph-reader.ts'

/** How many nodes a search for a way back may look at. */
export const WAY_BACK_BUDGET = 10_000

/** What a search for a way back found: ids of nodes, each needing the next; nothing; or no answer within the budget. */
export type WayBack = (
  | { readonly outcome: 'found'; readonly nodes: readonly string[] }
  | { readonly outcome: 'none' | 'unknown' }
) & {
  /** How many edges were looked at. */
  readonly looked: number
}

/**
 * Finds how something among `starts` needs `end`. Looks from both sides in turn, always where fewer nodes wait, and ends
 * where one side has nothing left: for a service that nobody needs yet, at once.
 */
export function findWayBack(
  graph: GraphReader,
  { starts, end }: { readonly starts: readonly number[]; readonly end: number },
  budget = WAY_BACK_BUDGET,
): WayBack {
  if (starts.includes(end)) return { outcome: 'found', nodes: [graph.idOf(end)], looked: 0 }
  marks.prepare(graph.nodeSlots)
  const forward = new Side(graph.out, starts)
  const backward = new Side(graph.in, [end])
  const looked = () => forward.looked + backward.looked
  while (forward.waiting.length > 0 && backward.waiting.length > 0) {
    if (forward.seen + backward.seen > budget) return { outcome: 'unknown', looked: looked() }
    const side = forward.waiting.length <= backward.waiting.length ? forward : backward
    const meeting = side.advance(budget)
    if (meeting === undefined) continue
    // The one node that both sides know came to the one from the other: each has its own way to it.
    const [near, far] = side === forward ? [meeting.from, meeting.to] : [meeting.to, meeting.from]
    const nodes = [...forward.wayTo(near).reverse(), ...backward.wayTo(far)]
    return { outcome: 'found', nodes: nodes.map((node) => graph.idOf(node)), looked: looked() }
  }
  return { outcome: 'none', looked: looked() }
}

/** Who has seen a node, and from where it was reached. Used again by each search, so that nothing has to be cleared. */
class Marks {
  /** The number of the side that has seen it; every search has two numbers of its own. */
  side = new Int32Array(0)
  cameFrom = new Int32Array(0)
  #last = 0

  prepare(slots: number): void {
    if (this.side.length < slots || this.#last > 0x7ffffff0) {
      this.side = new Int32Array(Math.ceil(slots * 1.25))
      this.cameFrom = new Int32Array(this.side.length)
      this.#last = 0
    }
  }

  nextSide(): number {
    this.#last += 1
    return this.#last
  }
}

const marks = new Marks()

/** One side of the search: what it has seen, and what it looks at next. */
class Side {
  waiting: number[] = []
  seen = 0
  looked = 0
  readonly #edges: GraphReader['out']
  readonly #number = marks.nextSide()

  constructor(edges: GraphReader['out'], starts: readonly number[]) {
    this.#edges = edges
    for (const start of starts) if (marks.side[start] !== this.#number) this.#see(start, -1)
  }

  /** Goes one step further from everything that waits. Returns the edge that led to the other side, if one did. */
  advance(budget: number): { readonly from: number; readonly to: number } | undefined {
    const { start, length, others } = this.#edges
    const from = this.waiting
    this.waiting = []
    for (const node of from) {
      const first = start[node] ?? 0
      this.looked += length[node] ?? 0
      for (let at = first; at < first + (length[node] ?? 0); at += 1) {
        const next = others[at] as number
        const side = marks.side[next] as number
        if (side === this.#number) continue
        // The other side has the number beside this one.
        if (side === this.#other) return { from: node, to: next }
        this.#see(next, node)
      }
      // One node may have a hundred thousand neighbours; the caller looks at the budget then.
      if (this.seen > budget) break
    }
    return undefined
  }

  /** From a node back to where this side started. */
  wayTo(node: number): number[] {
    const way: number[] = []
    for (let at = node; at !== -1; at = marks.cameFrom[at] as number) way.push(at)
    return way
  }

  get #other(): number {
    return this.#number % 2 === 1 ? this.#number + 1 : this.#number - 1
  }

  #see(node: number, from: number): void {
    marks.side[node] = this.#number
    marks.cameFrom[node] = from
    this.seen += 1
    this.waiting.push(node)
  }
}
