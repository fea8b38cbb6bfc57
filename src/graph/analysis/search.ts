import type { GraphReader } from '../model/graph-reader.ts'

/** Which edges a search follows, by the number of their type; `undefined`: none of that side. */
export interface Follow {
  /** From a node to what it needs. */
  readonly out?: readonly boolean[]
  /** From a node to what needs it. */
  readonly in?: readonly boolean[]
}

/**
 * - `needs`: from a node to what it cannot do without. `neededBy`: the other way.
 * - `out`, `in`: along the arrows as they are shown, or against them. `both`: every edge.
 */
export type Direction = 'needs' | 'neededBy' | 'out' | 'in' | 'both'

/** @param edgeTypes only these types of edges. Unknown ones match nothing. @default all */
export function followOf(graph: GraphReader, direction: Direction, edgeTypes?: readonly string[]): Follow {
  const wanted = graph.edgeTypes.map((type) => edgeTypes === undefined || edgeTypes.includes(type))
  if (direction === 'needs') return { out: wanted }
  if (direction === 'neededBy') return { in: wanted }
  if (direction === 'both') return { out: wanted, in: wanted }
  const forward = wanted.map((follow, type) => follow && !graph.reversed[type])
  const backward = wanted.map((follow, type) => follow && (graph.reversed[type] as boolean))
  return direction === 'out' ? { out: forward, in: backward } : { out: backward, in: forward }
}

/** What a search has found. Valid until the next search with the same scratch. */
export interface Found {
  /** Nodes in order of distance, the first ones being the sources; `count` of them. */
  readonly order: Int32Array
  readonly count: number
  /** Where in `order` each distance begins; one more at the end. */
  readonly levels: readonly number[]
  /** Distance of a node; -1 where it was not reached. */
  distanceOf(node: number): number
}

/** Memory for searches, used again and again: marks carry the number of the search, so nothing has to be cleared. */
class Scratch {
  marks = new Int32Array(0)
  order = new Int32Array(0)
  base = 0

  prepare(slots: number): void {
    if (this.marks.length < slots) {
      this.marks = new Int32Array(Math.ceil(slots * 1.25))
      this.order = new Int32Array(this.marks.length)
      this.base = 0
    }
    // Marks are the base plus a distance, which is below the number of nodes of whichever graph was searched before: the
    // next base lies behind the largest mark that there can be.
    const range = this.marks.length + 1
    if (this.base > 0x7fffffff - 2 * range) {
      this.marks.fill(0)
      this.base = 0
    }
    this.base += range
  }
}

/** A search takes one, because a search may begin inside another one. */
const idle: Scratch[] = []

interface SearchOptions {
  readonly sources: readonly number[]
  readonly follow: Follow
  /** How far to go. @default no bound */
  readonly depth?: number | undefined
}

/**
 * Finds everything that can be reached, nearest first, and hands it to `use`. One pass over the edges involved: about
 * ten milliseconds for a million of them.
 */
export function search<T>(graph: GraphReader, options: SearchOptions, use: (found: Found) => T): T {
  const scratch = idle.pop() ?? new Scratch()
  try {
    scratch.prepare(graph.nodeSlots)
    const levels = spread(graph, options, scratch)
    const { marks, order, base } = scratch
    return use({
      order,
      count: levels.at(-1) as number,
      levels,
      distanceOf: (node) => Math.max((marks[node] as number) - base, -1),
    })
  } finally {
    idle.push(scratch)
  }
}

function spread(graph: GraphReader, { sources, follow, depth }: SearchOptions, scratch: Scratch): number[] {
  const { marks, order, base } = scratch
  const sides = sidesOf(follow)
  let count = 0
  for (const source of sources) {
    if ((marks[source] as number) >= base) continue
    marks[source] = base
    order[count++] = source
  }
  const levels = [0]
  /** Ends of edges at nodes that were not reached yet. */
  let untouched = graph.edges.count * sides.length
  for (let distance = 1; distance <= (depth ?? Number.POSITIVE_INFINITY); distance += 1) {
    const [begin, end] = [levels.at(-1) as number, count]
    levels.push(end)
    if (begin === end) return levels.slice(0, -1)
    const level = { begin, end, mark: base + distance }
    let touched = 0
    for (const side of sides) touched += edgesAt(graph[side.name].length, order.subarray(begin, end))
    untouched -= touched
    const advance = touched > MIN_TURN && touched > untouched / TURN_RATIO ? gather : step
    for (const side of sides) count = advance(graph, scratch, { ...level, side, count })
  }
  if (levels.at(-1) !== count) levels.push(count)
  return levels
}

/**
 * When to turn the search round. Near the middle of a dense graph most edges lead to nodes that are known already: then it
 * is several times cheaper to ask each node that is not known whether any of its neighbours was just reached.
 */
const TURN_RATIO = 8
const MIN_TURN = 4_096

interface FollowedSide {
  readonly name: 'out' | 'in'
  /** By the number of the type. */
  readonly types: readonly boolean[]
  readonly everything: boolean
}

function sidesOf({ out, in: into }: Follow): readonly FollowedSide[] {
  const sides: FollowedSide[] = []
  if (out !== undefined) sides.push({ name: 'out', types: out, everything: out.every(Boolean) })
  if (into !== undefined) sides.push({ name: 'in', types: into, everything: into.every(Boolean) })
  return sides
}

function edgesAt(length: Int32Array, nodes: Int32Array): number {
  let edges = 0
  for (const node of nodes) edges += length[node] ?? 0
  return edges
}

interface Level {
  readonly begin: number
  readonly end: number
  readonly mark: number
  readonly count: number
}

/** From each node of the level before to all its neighbours. */
function step(
  graph: GraphReader,
  { marks, order, base }: Scratch,
  level: Level & { readonly side: FollowedSide },
): number {
  const { begin, end, mark } = level
  const { name, types, everything } = level.side
  const { start, length, items, others } = graph[name]
  const { kind } = graph.edges
  let count = level.count
  for (let at = begin; at < end; at += 1) {
    const node = order[at] as number
    const first = start[node] as number
    const last = first + (length[node] as number)
    for (let item = first; item < last; item += 1) {
      const next = others[item] as number
      if ((marks[next] as number) >= base) continue
      if (!everything && !types[(kind[items[item] as number] as number) >> 2]) continue
      marks[next] = mark
      order[count++] = next
    }
  }
  return count
}

/** To each node that is not known, from the first neighbour of the level before that is found. */
function gather(
  graph: GraphReader,
  { marks, order, base }: Scratch,
  level: Level & { readonly side: FollowedSide },
): number {
  const { mark } = level
  const { name, types, everything } = level.side
  // What is reached along `out` has the way back in its other list.
  const { start, length, items, others } = name === 'out' ? graph.in : graph.out
  const { kind } = graph.edges
  const nodes = Math.min(graph.nodeSlots, start.length)
  let count = level.count
  for (let node = 0; node < nodes; node += 1) {
    if ((marks[node] as number) >= base) continue
    const first = start[node] as number
    const last = first + (length[node] as number)
    for (let item = first; item < last; item += 1) {
      if (marks[others[item] as number] !== mark - 1) continue
      if (!everything && !types[(kind[items[item] as number] as number) >> 2]) continue
      marks[node] = mark
      order[count++] = node
      break
    }
  }
  return count
}
