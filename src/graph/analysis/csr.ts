import type { GraphReader } from '../model/graph-reader.ts'

/** Edges as plain columns, which can be sent to another process. Free edge numbers have `from` -1. */
export interface EdgeList {
  /** All node numbers are smaller than this number. */
  readonly nodes: number
  readonly from: Int32Array<ArrayBuffer>
  readonly to: Int32Array<ArrayBuffer>
}

/** Neighbors of all nodes in one array: those of node n are `targets[offsets[n]]` to `targets[offsets[n + 1] - 1]`. */
export interface Csr {
  readonly offsets: Int32Array
  readonly targets: Int32Array
}

/** The edges of a graph in the direction of need, without excluded types. */
export function edgeListOf(graph: GraphReader, edgeTypes?: readonly string[]): EdgeList {
  const { bound, from, to, kind, refs } = graph.edges
  const wanted = graph.edgeTypes.map((type) => edgeTypes === undefined || edgeTypes.includes(type))
  const list = { nodes: graph.nodeBound, from: from.slice(0, bound), to: to.slice(0, bound) }
  for (let edge = 0; edge < bound; edge += 1)
    if (refs[edge] === 0 || !wanted[(kind[edge] as number) >> 2]) list.from[edge] = -1
  return list
}

/** Sorts edges by their source, without parallel edges and self edges. */
export function toCsr(nodes: number, from: Int32Array, to: Int32Array): Csr {
  const sorted = sortBySource(nodes, from, to)
  const { offsets, targets } = sorted
  const seenFrom = new Int32Array(nodes).fill(-1)
  const kept = new Int32Array(nodes + 1)
  let count = 0
  for (let node = 0; node < nodes; node += 1) {
    for (let at = offsets[node] as number; at < (offsets[node + 1] as number); at += 1) {
      const target = targets[at] as number
      if (target === node || seenFrom[target] === node) continue
      seenFrom[target] = node
      targets[count++] = target
    }
    kept[node + 1] = count
  }
  return { offsets: kept, targets: targets.slice(0, count) }
}

function sortBySource(nodes: number, from: Int32Array, to: Int32Array): Csr {
  const offsets = new Int32Array(nodes + 1)
  for (const node of from) if (node !== -1) offsets[node + 1] = (offsets[node + 1] as number) + 1
  for (let node = 0; node < nodes; node += 1)
    offsets[node + 1] = (offsets[node + 1] as number) + (offsets[node] as number)
  const next = offsets.slice()
  const targets = new Int32Array(offsets[nodes] as number)
  for (let edge = 0; edge < from.length; edge += 1) {
    const node = from[edge] as number
    if (node === -1) continue
    const at = next[node] as number
    next[node] = at + 1
    targets[at] = to[edge] as number
  }
  return { offsets, targets }
}
