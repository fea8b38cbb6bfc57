import { followOf, search } from '../analysis/search.ts'
import type { GraphReader } from '../model/graph-reader.ts'
import { firstById } from '../model/in-order.ts'
import { COMPLETE, type Completeness, cutBy, type QuestionOptions } from './answer.ts'

/** @default `limit` 10 */
export type PathsOptions = Pick<QuestionOptions, 'limit' | 'depth' | 'edgeTypes'>

export interface PathsAnswer extends Completeness {
  readonly from: string
  readonly to: string
  /** Sorted by length, then by the ids on the path. No node occurs twice in a path. */
  readonly paths: readonly { readonly length: number; readonly nodes: readonly string[] }[]
}

/** How many edges one question may follow. That takes some milliseconds. */
const MAX_STEPS = 150_000
/** How many ids all paths of an answer may contain. Only very long chains come near. */
const MAX_PATH_IDS = 100_000

/**
 * Finds the paths from one node to another in the direction of need: they show how the first node needs the second. There may be
 * very many, so they are listed by length up to `limit`. The search visits only nodes from which the end is near enough.
 */
export function paths(graph: GraphReader, from: number, to: number, options: PathsOptions = {}): PathsAnswer {
  const { limit = 10, depth = Number.POSITIVE_INFINITY, edgeTypes } = options
  const back = followOf(graph, 'neededBy', edgeTypes)
  const finder = search(graph, { sources: [to], follow: back, depth: options.depth }, (found) => {
    const walk = new PathWalk(graph, { types: back.in ?? [], to, limit, distanceOf: found.distanceOf })
    const shortest = found.distanceOf(from)
    for (let length = shortest; length !== -1 && length <= depth; length += 1)
      if (!walk.go(from, length)) break
    return walk
  })
  return {
    from: graph.idOf(from),
    to: graph.idOf(to),
    paths: finder.paths.map((nodes) => ({
      length: nodes.length - 1,
      nodes: nodes.map((node) => graph.idOf(node)),
    })),
    ...(finder.cut === undefined ? COMPLETE : cutBy(finder.cut)),
  }
}

interface WalkOptions {
  readonly types: readonly boolean[]
  readonly to: number
  readonly limit: number
  /** The smallest number of steps to the end; -1 if it cannot be reached. */
  readonly distanceOf: (node: number) => number
}

/** Walks along all simple paths of one length, in the order of ids. */
class PathWalk {
  readonly paths: number[][] = []
  cut: 'limit' | 'budget' | 'size' | undefined
  readonly #graph: GraphReader
  readonly #options: WalkOptions
  readonly #next = new Map<number, readonly number[]>()
  /** Whether a node is on the current path, by its number. A path may have very many nodes. */
  readonly #onPath: Uint8Array
  #steps = 0
  #ids = 0
  /** Whether a longer path may exist. */
  #tooLong = false

  constructor(graph: GraphReader, options: WalkOptions) {
    this.#graph = graph
    this.#options = options
    this.#onPath = new Uint8Array(graph.nodeBound)
  }

  /** Collects the paths of exactly this length. Returns whether longer ones may exist. */
  go(from: number, length: number): boolean {
    const { to, distanceOf } = this.#options
    if (from === to) {
      this.#found([from])
      return false
    }
    this.#tooLong = false
    const path = [from]
    this.#onPath[from] = 1
    /** For each node of the path, which of its neighbors is next. */
    const turns = [0]
    while (path.length > 0) {
      const last = path.length - 1
      const turn = turns[last] as number
      turns[last] = turn + 1
      const node = this.#nextOf(path[last] as number)[turn]
      if (node === undefined) {
        this.#onPath[path.pop() as number] = 0
        turns.pop()
        continue
      }
      this.#steps += 1
      if (this.#steps > MAX_STEPS) this.cut = 'budget'
      if (this.cut !== undefined) return false
      if (this.#onPath[node] === 1) continue
      if (path.length + distanceOf(node) > length) this.#tooLong = true
      else if (node !== to) {
        path.push(node)
        this.#onPath[node] = 1
        turns.push(0)
      } else if (path.length === length && !this.#found([...path, node])) return false
    }
    return this.#tooLong
  }

  #found(path: number[]): boolean {
    this.#ids += path.length
    if (this.paths.length === this.#options.limit) this.cut = 'limit'
    else if (this.paths.length > 0 && this.#ids > MAX_PATH_IDS) this.cut = 'size'
    else this.paths.push(path)
    return this.cut === undefined
  }

  /** The next nodes of a path: those from which the end can be reached, by id. */
  #nextOf(node: number): readonly number[] {
    const known = this.#next.get(node)
    if (known !== undefined) return known
    const { edges, out } = this.#graph
    const [list, others] = [out.of(node), out.othersOf(node)]
    const next = new Set<number>()
    for (const [at, other] of others.entries()) {
      if (this.#options.distanceOf(other) === -1) continue
      if (this.#options.types[(edges.kind[list[at] as number] as number) >> 2]) next.add(other)
    }
    this.#steps += others.length
    const sorted = firstById(this.#graph, next, next.size)
    this.#next.set(node, sorted)
    return sorted
  }
}
