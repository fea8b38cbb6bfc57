import { CoordinatorError } from '../../errors.ts'
import { EDGE_ORIGINS, normalEdge } from '../../records/graph/graph-id.ts'
import { atOnce } from '../../scheduling/pace.ts'
import { quoted } from '../../text/quoted.ts'
import { edgeListOf } from '../analysis/csr.ts'
import { GraphAnalysis } from '../analysis/graph-analysis.ts'
import { Describer, type EdgeJson, type NodeJson } from '../derive/describe.ts'
import type { GraphReader } from '../model/graph-reader.ts'
import { resolveNode } from '../model/resolve-node.ts'
import { sortTypes, type TypeFilter } from '../model/sort-types.ts'
import type { QuestionOptions } from './answer.ts'
import { type CriticalAnswer, type CriticalOptions, chooseCritical, critical } from './critical.ts'
import { type CyclesAnswer, type CyclesOptions, cycles } from './cycles.ts'
import {
  type ListOptions,
  type OrphansAnswer,
  orphans,
  type UnresolvedAnswer,
  unresolved,
} from './list-nodes.ts'
import { type NeighborsAnswer, type NeighborsOptions, neighbors } from './neighbors.ts'
import { type OverviewAnswer, type OverviewOptions, overview } from './overview.ts'
import { type PathsAnswer, type PathsOptions, paths } from './paths.ts'
import { dependencies, impact, type ReachAnswer, type ReachOptions } from './reach.ts'

/**
 * A question about a graph. Nodes are given by id, or by the name of a service. The graph decides whether `types` are types of nodes or of
 * edges. With a `namespace`, plain names are those of its services; questions that name no node show only its part of the graph.
 */
export type Question = Pick<TypeFilter, 'types'> & Pick<QuestionOptions, 'namespace'> & Asked

type Asked =
  | ({ readonly ask: 'impact' | 'dependencies'; readonly of: string } & ReachOptions)
  | ({ readonly ask: 'neighbors'; readonly of: string } & NeighborsOptions)
  | ({ readonly ask: 'paths'; readonly from: string; readonly to: string } & PathsOptions)
  | ({ readonly ask: 'cycles' } & CyclesOptions)
  | ({ readonly ask: 'critical' } & CriticalOptions)
  | ({ readonly ask: 'unresolved' | 'orphans' } & ListOptions)
  | ({ readonly ask: 'overview' } & OverviewOptions)
  | { readonly ask: 'node'; readonly id: string }
  | { readonly ask: 'edge'; readonly id: string }

/** The type of the answer to each question. */
export interface Answers {
  readonly impact: ReachAnswer
  readonly dependencies: ReachAnswer
  readonly neighbors: NeighborsAnswer
  readonly paths: PathsAnswer
  readonly cycles: CyclesAnswer
  readonly critical: CriticalAnswer
  readonly unresolved: UnresolvedAnswer
  readonly orphans: OrphansAnswer
  readonly overview: OverviewAnswer
  readonly node: { readonly node: NodeJson }
  readonly edge: { readonly edge: EdgeJson }
}

export type AnswerTo<Q extends Question> = Answers[Q['ask']]

/**
 * Answers a question from one graph, without a pause.
 *
 * @throws COORD_NODE_NOT_FOUND, COORD_EDGE_NOT_FOUND
 */
export function answerQuestion<Q extends Question>(graph: GraphReader, question: Q): AnswerTo<Q>
export function answerQuestion(graph: GraphReader, asked: Question): Answers[keyof Answers] {
  const question = sortTypes(graph, asked)
  const { namespace } = question
  switch (question.ask) {
    case 'impact':
      return impact(graph, resolveNode(graph, question.of, { parameter: 'of', namespace }), question)
    case 'dependencies':
      return dependencies(graph, resolveNode(graph, question.of, { parameter: 'of', namespace }), question)
    case 'neighbors':
      return atOnce(
        neighbors(graph, resolveNode(graph, question.of, { parameter: 'of', namespace }), question),
      )
    case 'paths': {
      const from = resolveNode(graph, question.from, { parameter: 'from', namespace })
      const to = resolveNode(graph, question.to, { parameter: 'to', namespace })
      return paths(graph, from, to, question)
    }
    case 'cycles': {
      const components = new GraphAnalysis(edgeListOf(graph, question.edgeTypes)).components()
      return atOnce(cycles(graph, components, question))
    }
    case 'critical':
      return criticalNow(graph, question)
    case 'unresolved':
      return unresolved(graph, question)
    case 'orphans':
      return orphans(graph, question)
    case 'overview':
      return atOnce(overview(graph, question))
    case 'node':
      return { node: new Describer(graph).node(resolveNode(graph, question.id, { namespace })) }
    case 'edge':
      return { edge: new Describer(graph).edge(findEdge(graph, question.id)) }
  }
}

function criticalNow(graph: GraphReader, question: CriticalOptions): CriticalAnswer {
  const analysis = new GraphAnalysis(edgeListOf(graph, question.edgeTypes))
  const figures = analysis.criticality()
  const choice = chooseCritical(graph, figures, question)
  return critical(graph, figures, { choice, dependents: analysis.dependents(choice.needed) })
}

/** An id without an origin means the asserted edge, as in a write, or another edge if there is none. */
function findEdge(graph: GraphReader, id: string): number {
  const identity = normalEdge(id)
  if (identity !== undefined) {
    const origins = id.split(',').length > 3 ? [identity.origin] : ['asserted' as const, ...EDGE_ORIGINS]
    for (const origin of origins) {
      const edge = graph.findEdge({ ...identity, origin })
      if (edge !== -1) return edge
    }
  }
  throw new CoordinatorError('COORD_EDGE_NOT_FOUND', {
    detail: `The graph has no edge ${quoted(id, 1_024)}.`,
    errors: [{ path: 'id', message: 'names no edge' }],
  })
}
