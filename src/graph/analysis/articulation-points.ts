import type { Csr } from './csr.ts'

/**
 * Articulation points of the graph as an undirected one, after Hopcroft and Tarjan, without recursion.
 *
 * @param sides the neighbors of each node, in two parts that are read one after the other
 * @returns for each node, how many others would be cut off from the largest remaining part without it; 0: none
 */
export function articulationPoints(sides: readonly [Csr, Csr]): Int32Array {
  const nodes = sides[0].offsets.length - 1
  const walk = newWalk(nodes)
  for (let root = 0; root < nodes; root += 1) if (walk.order[root] === 0) walkFrom(root, sides, walk)
  return walk.cutOff
}

/** The state of the walk for each node. */
function newWalk(nodes: number) {
  const column = () => new Int32Array(nodes)
  return {
    order: column(),
    low: column(),
    /** The number of nodes in the subtree, including the node itself. */
    size: column(),
    /** The number of nodes in parts that only this node connects to the rest, and the size of the largest of these parts. */
    held: column(),
    largest: column(),
    cutOff: column(),
    next: column(),
    path: column(),
    visited: column(),
    counter: 0,
  }
}

type Walk = ReturnType<typeof newWalk>

function walkFrom(root: number, sides: readonly [Csr, Csr], walk: Walk): void {
  const { order, low, size, next, path, visited } = walk
  let depth = 0
  let count = 0
  const enter = (node: number) => {
    walk.counter += 1
    order[node] = walk.counter
    low[node] = walk.counter
    size[node] = 1
    path[depth++] = node
    visited[count++] = node
  }
  enter(root)
  while (depth > 0) {
    const node = path[depth - 1] as number
    const neighbor = neighborAt(node, next[node] as number, sides)
    if (neighbor !== -1) {
      next[node] = (next[node] as number) + 1
      // The edge back to the parent makes no difference.
      if (order[neighbor] === 0) enter(neighbor)
      else low[node] = Math.min(low[node] as number, order[neighbor] as number)
      continue
    }
    depth -= 1
    if (depth > 0) leave(node, path[depth - 1] as number, walk)
  }
  for (let at = 0; at < count; at += 1) settle(visited[at] as number, { total: count, walk })
}

/** The i-th neighbor in both parts; -1 after the last. */
function neighborAt(node: number, i: number, [first, second]: readonly [Csr, Csr]): number {
  const start = first.offsets[node] as number
  const length = (first.offsets[node + 1] as number) - start
  if (i < length) return first.targets[start + i] as number
  const at = (second.offsets[node] as number) + i - length
  return at < (second.offsets[node + 1] as number) ? (second.targets[at] as number) : -1
}

/** A subtree is finished. If nothing in it reaches above the parent, only the parent connects it to the rest. */
function leave(node: number, parent: number, { order, low, size, held, largest }: Walk): void {
  size[parent] = (size[parent] as number) + (size[node] as number)
  low[parent] = Math.min(low[parent] as number, low[node] as number)
  if ((low[node] as number) < (order[parent] as number)) return
  held[parent] = (held[parent] as number) + (size[node] as number)
  largest[parent] = Math.max(largest[parent] as number, size[node] as number)
}

function settle(node: number, { total, walk }: { readonly total: number; readonly walk: Walk }): void {
  const held = walk.held[node] as number
  const rest = total - 1 - held
  walk.cutOff[node] = total - 1 - Math.max(walk.largest[node] as number, rest)
}
