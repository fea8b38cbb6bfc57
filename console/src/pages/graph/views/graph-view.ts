import type { Follow } from '../../../drawing/model/neighbours.ts'
import type { ReadGraph } from '../data/read-graph.ts'

/** What a question about the graph found, before it is decided how much of it is drawn. */
export interface GraphView {
  readonly read: ReadGraph
  /** Where the drawing begins: nodes and their surroundings. */
  readonly from: readonly string[]
  readonly centre?: string
  readonly follow: Follow
  readonly depth: number
  readonly steps: boolean
  /** Nodes and edges to stress: a path, a cycle. */
  readonly strong?: ReadonlySet<string>
  /** Only these nodes, whatever is near them. */
  readonly only?: ReadonlySet<string>
  /** One sentence that says what was found. */
  readonly sentence: string
  /** What is wrong, most urgent first, each with the nodes that it concerns. */
  readonly problems?: readonly Problem[]
}

export interface Problem {
  readonly kind: 'unresolved' | 'down' | 'expired' | 'cycle'
  readonly node: string
  readonly title: string
  readonly detail: string
}
