import { smallest } from '../../collections/smallest.ts'
import type { Criticality } from '../analysis/graph-analysis.ts'
import type { GraphReader } from '../model/graph-reader.ts'
import { shownIn } from '../model/namespace-part.ts'
import { type NodeName, nodeName } from '../model/node-name.ts'
import { COMPLETE, type Completeness, cutBy, type QuestionOptions } from './answer.ts'

/** @default `limit` 20, for each list */
export type CriticalOptions = Pick<QuestionOptions, 'limit' | 'edgeTypes' | 'nodeTypes' | 'namespace'>

interface ArticulationPoint extends NodeName {
  /** How many nodes would be cut off from the largest remaining part without this node. */
  readonly cutsOff: number
}

interface DependedOn extends NodeName {
  /** How many nodes need it directly. */
  readonly direct: number
  /** How many nodes need it, directly or through others. */
  readonly dependents: number
}

export interface CriticalAnswer extends Completeness {
  /** Nodes whose loss would split the graph, the worst first. */
  readonly articulationPoints: readonly ArticulationPoint[]
  readonly articulationPointsTotal: number
  /** The nodes that most others need directly, the most needed first. */
  readonly mostDependedOn: readonly DependedOn[]
}

export const DEFAULT_CRITICAL_LIMIT = 20
/** Each listed node costs a search through the graph. */
export const MAX_CRITICAL_LIMIT = 100

/** The nodes chosen for an answer, before their dependents are counted. */
interface CriticalChoice {
  readonly cut: readonly number[]
  readonly cutTotal: number
  readonly needed: readonly number[]
}

/** Chooses the most critical nodes by the figures of all nodes. */
export function chooseCritical(
  graph: GraphReader,
  { cutOff, direct }: Criticality,
  { limit = DEFAULT_CRITICAL_LIMIT, nodeTypes, ...part }: CriticalOptions,
): CriticalChoice {
  const isShown = shownIn(graph, part)
  const most = (figures: Int32Array) => (left: number, right: number) =>
    (figures[right] as number) - (figures[left] as number) || (graph.idOf(left) < graph.idOf(right) ? -1 : 1)
  const positive = (figures: Int32Array) =>
    Array.from(figures.keys()).filter(
      (node) => (figures[node] as number) > 0 && graph.isOfType(node, nodeTypes) && isShown(node),
    )
  const cut = positive(cutOff)
  return {
    cut: smallest(cut, limit, most(cutOff)),
    cutTotal: cut.length,
    needed: smallest(positive(direct), limit, most(direct)),
  }
}

/** @param dependents for each node of `choice.needed` */
export function critical(
  graph: GraphReader,
  { cutOff, direct }: Criticality,
  { choice, dependents }: { readonly choice: CriticalChoice; readonly dependents: readonly number[] },
): CriticalAnswer {
  return {
    articulationPoints: choice.cut.map((node) => ({
      ...nodeName(graph, node),
      cutsOff: cutOff[node] as number,
    })),
    articulationPointsTotal: choice.cutTotal,
    mostDependedOn: choice.needed.map((node, at) => ({
      ...nodeName(graph, node),
      direct: direct[node] as number,
      dependents: dependents[at] as number,
    })),
    ...(choice.cutTotal > choice.cut.length ? cutBy('limit') : COMPLETE),
  }
}
