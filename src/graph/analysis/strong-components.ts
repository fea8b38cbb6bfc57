import type { Csr } from './csr.ts'

/**
 * Strongly connected components after Tarjan. It uses no recursion, because a chain of a million services must not exhaust the stack.
 *
 * @returns for each node, the number of its component
 */
export function strongComponents({ offsets, targets }: Csr): Int32Array {
  const nodes = offsets.length - 1
  const component = new Int32Array(nodes).fill(-1)
  const index = new Int32Array(nodes)
  const low = new Int32Array(nodes)
  const next = offsets.slice(0, nodes)
  const open = new Int32Array(nodes)
  const path = new Int32Array(nodes)
  let openCount = 0
  let depth = 0
  let counter = 0
  let components = 0
  const enter = (node: number) => {
    counter += 1
    index[node] = counter
    low[node] = counter
    open[openCount++] = node
    path[depth++] = node
  }
  for (let root = 0; root < nodes; root += 1) {
    if (index[root] !== 0) continue
    enter(root)
    while (depth > 0) {
      const node = path[depth - 1] as number
      const at = next[node] as number
      if (at < (offsets[node + 1] as number)) {
        next[node] = at + 1
        const target = targets[at] as number
        if (index[target] === 0) enter(target)
        else if (component[target] === -1) low[node] = Math.min(low[node] as number, index[target] as number)
        continue
      }
      depth -= 1
      if (depth > 0) {
        const parent = path[depth - 1] as number
        low[parent] = Math.min(low[parent] as number, low[node] as number)
      }
      if (low[node] !== index[node]) continue
      let member: number
      do {
        member = open[--openCount] as number
        component[member] = components
      } while (member !== node)
      components += 1
    }
  }
  return component
}
