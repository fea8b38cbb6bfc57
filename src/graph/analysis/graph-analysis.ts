import { articulationPoints } from './articulation-points.ts'
import { type Csr, type EdgeList, toCsr } from './csr.ts'
import { strongComponents } from './strong-components.ts'

export interface Criticality {
  /** For each node, how many others would be cut off from the largest remaining part without it. */
  readonly cutOff: Int32Array
  /** For each node, how many others need it directly. */
  readonly direct: Int32Array
}

/** The questions about the whole graph, computed from plain arrays. They are pure functions, so that they can run in another process. */
export class GraphAnalysis {
  readonly #needs: Csr
  readonly #neededBy: Csr

  constructor({ nodes, from, to }: EdgeList) {
    this.#needs = toCsr(nodes, from, to)
    this.#neededBy = toCsr(nodes, withoutFree(to, from), from)
  }

  /** For each node, the number of its strongly connected component. */
  components(): Int32Array {
    return strongComponents(this.#needs)
  }

  criticality(): Criticality {
    const { offsets } = this.#neededBy
    const direct = new Int32Array(offsets.length - 1)
    for (let node = 0; node < direct.length; node += 1)
      direct[node] = (offsets[node + 1] as number) - (offsets[node] as number)
    return { cutOff: articulationPoints([this.#needs, this.#neededBy]), direct }
  }

  /** For each of the given nodes, how many others need it, directly or through others. */
  dependents(nodes: readonly number[]): readonly number[] {
    const { offsets, targets } = this.#neededBy
    const seen = new Int32Array(offsets.length - 1).fill(-1)
    const queue = new Int32Array(seen.length)
    return nodes.map((source, round) => {
      let count = 0
      queue[count++] = source
      seen[source] = round
      for (let at = 0; at < count; at += 1) {
        const node = queue[at] as number
        for (let item = offsets[node] as number; item < (offsets[node + 1] as number); item += 1) {
          const next = targets[item] as number
          if (seen[next] === round) continue
          seen[next] = round
          queue[count++] = next
        }
      }
      return count - 1
    })
  }
}

/** `column`, with -1 for free edge numbers. */
function withoutFree(column: Int32Array, from: Int32Array): Int32Array {
  return column.map((node, edge) => (from[edge] === -1 ? -1 : node))
}
