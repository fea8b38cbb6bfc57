import type { Moment } from '../database/store.ts'
import type { Live } from '../live/live.ts'
import type { View } from '../live/view/view.ts'
import type { JsonObject } from '../records/canonical-json.ts'
import type { Revision } from '../records/record.ts'
import type { Warning } from '../records/warning.ts'
import { longTurn } from '../scheduling/long-work.ts'
import { atOnce, inTurns } from '../scheduling/pace.ts'
import { AssertedWriter } from './asserted/asserted-writer.ts'
import {
  type AssertionHistory,
  type AssertionHistoryQuery,
  assertionHistory,
} from './asserted/assertion-history.ts'
import { type GraphProjection, graphProjection } from './derive/graph-projection.ts'
import type { RebuildAnswer } from './derive/rebuild.ts'
import { exportGraph, type FormatName, graphFormats } from './export/export-graph.ts'
import type { GraphReader } from './model/graph-reader.ts'
import { resolveNode } from './model/resolve-node.ts'
import { sortTypes, type TypeFilter } from './model/sort-types.ts'
import type { DiffAnswer, DiffOptions } from './past/diff-tracker.ts'
import { LiveAnalysis } from './past/live-analysis.ts'
import { PastGraphs } from './past/past-graphs.ts'
import { DEFAULT_LIMIT } from './questions/answer.ts'
import { type AnswerTo, answerQuestion, type Question } from './questions/answer-question.ts'
import type { HealthOf } from './questions/group-by.ts'
import { listNamespaces, type NamespacesQuery, type NodeNamespaces } from './questions/list-namespaces.ts'
import { type NeighborsAnswer, neighbors } from './questions/neighbors.ts'
import { type OverviewAnswer, type OverviewOptions, overview } from './questions/overview.ts'
import { type GraphFilter, type GraphMetadata, selectGraph } from './questions/select-graph.ts'
import { Rebuilds } from './rebuilds.ts'
import { isSmall, type SimulateAnswer, simulate } from './simulate/simulate.ts'
import { ReadRecords, simulatedChanges } from './simulate/simulated-changes.ts'
import { readSimulation } from './simulate/simulation.ts'
import { graphWarnings } from './warnings/graph-warnings.ts'

export interface KnowledgeGraphOptions {
  /** Up to this many edges, questions about the whole graph are answered at once; beyond it, in another process. @default 20_000 */
  readonly inlineMaxEdges?: number
}

type NeighborsQuestion = Extract<Question, { ask: 'neighbors' }>

/** An answer, and the revision that it shows. */
export type AtRevision<T> = T & { readonly revision: Revision }

export interface ExportAnswer {
  readonly metadata: GraphMetadata
  readonly chunks: AsyncIterable<string>
}

export interface GraphFigures {
  readonly nodes: number
  readonly edges: number
  readonly unresolved: number
  readonly nodesByType: ReadonlyMap<string, number>
  readonly edgesByType: ReadonlyMap<string, number>
  /** Differences that the last rebuild found. */
  readonly rebuildDifferences: number
}

const noFigures: GraphFigures = {
  nodes: 0,
  edges: 0,
  unresolved: 0,
  nodesByType: new Map(),
  edgesByType: new Map(),
  rebuildDifferences: 0,
}

/**
 * The knowledge graph: questions and assertions. Each answer shows exactly one revision. Every method throws only
 * `CoordinatorError`; before the first load that is COORD_NOT_LOADED.
 */
export class KnowledgeGraph {
  readonly asserted: AssertedWriter
  readonly #live: Live
  readonly #inlineMaxEdges: number
  readonly #analysis = new LiveAnalysis()
  readonly #past: PastGraphs
  readonly #rebuilds: Rebuilds
  /** The newest copy of the graph, kept as long as somebody reads it. */
  #copied:
    | { readonly lineage: string; readonly revision: Revision; readonly copy: WeakRef<GraphReader> }
    | undefined

  constructor(live: Live, { inlineMaxEdges = 20_000 }: KnowledgeGraphOptions = {}) {
    this.#live = live
    this.#inlineMaxEdges = inlineMaxEdges
    this.#past = new PastGraphs(live)
    this.#rebuilds = new Rebuilds(live)
    this.asserted = new AssertedWriter(live)
  }

  /**
   * Answers a question about the present. In large graphs, answers about `cycles` and `critical` may be a second old.
   *
   * @throws COORD_NODE_NOT_FOUND, COORD_EDGE_NOT_FOUND
   */
  async ask<Q extends Question>(question: Q): Promise<AtRevision<AnswerTo<Q>>> {
    const { view } = this.#live
    const { revision } = view
    const graph = graphOf(view)
    if (question.ask === 'cycles' || question.ask === 'critical')
      if (graph.edges.count > this.#inlineMaxEdges) {
        const analysed = await this.#analysis.answer(view, question)
        return { ...(analysed.answer as AnswerTo<Q>), revision: analysed.revision }
      }
    // It reads every record, which takes longer than others can wait.
    if (question.ask === 'overview') {
      const found = await this.overview(question)
      return { ...(found as OverviewAnswer as AnswerTo<Q>), revision: found.revision }
    }
    if (question.ask === 'neighbors' && (question.limit ?? DEFAULT_LIMIT) > DEFAULT_LIMIT)
      return { ...((await this.#manyNeighbors(question)) as AnswerTo<Q>), revision }
    return { ...answerQuestion(graph, question), revision }
  }

  /** Describing that many edges takes longer than others can wait, so this reads a copy in turns. */
  #manyNeighbors(question: NeighborsQuestion): Promise<NeighborsAnswer> {
    const still = this.#copy()
    const node = resolveNode(still, question.of, { parameter: 'of', namespace: question.namespace })
    return inTurns(neighbors(still, node, sortTypes(still, question)))
  }

  /** The history of the assertions about one node or edge. @throws COORD_NODE_NOT_FOUND, COORD_EDGE_NOT_FOUND, COORD_STORE_* */
  history(
    about: { readonly kind: 'node' | 'edge'; readonly id: string },
    query?: AssertionHistoryQuery,
  ): Promise<AssertionHistory> {
    return assertionHistory(this.#live, about, query)
  }

  /**
   * Answers a question about the past.
   *
   * @throws COORD_REVISION_COMPACTED, COORD_REVISION_FUTURE, COORD_GRAPH_BUSY, COORD_STORE_*
   */
  async askPast<Q extends Question>(moment: Moment, question: Q): Promise<AtRevision<AnswerTo<Q>>> {
    const { position, answer } = await this.#past.ask(moment, question)
    return { ...answer, revision: position.revision }
  }

  /**
   * The graph, or a part of it, as text in pieces. It shows one revision, that of the call, however long reading takes.
   *
   * @throws COORD_NODE_NOT_FOUND
   */
  async export(format: FormatName, filter: GraphFilter): Promise<ExportAnswer> {
    const { revision, at } = this.#live.view
    const part = await inTurns(selectGraph(this.#copy(), filter, { revision, at }))
    return { metadata: part.metadata, chunks: chunksInTurns(exportGraph(graphFormats[format], part)) }
  }

  exportPast(
    moment: Moment,
    part: { readonly format: FormatName; readonly filter: GraphFilter },
  ): Promise<ExportAnswer> {
    return this.#past.export(moment, part)
  }

  /** A copy of the present graph. Questions at the same revision share it, because it is as large as the graph. */
  #copy(): GraphReader {
    const { view } = this.#live
    const { lineage, revision } = view
    const isNow = this.#copied?.lineage === lineage && this.#copied.revision === revision
    const copy = (isNow ? this.#copied?.copy.deref() : undefined) ?? graphOf(view).copy()
    this.#copied = { lineage, revision, copy: new WeakRef(copy) }
    return copy
  }

  /** The differences between two moments, with the commits that caused them. @throws what `askPast` throws, COORD_QUERY_INVALID */
  async diff(
    between: DiffOptions & {
      readonly from: Moment
      readonly to: Moment
    },
  ): Promise<DiffAnswer & { readonly from: Revision; readonly to: Revision }> {
    const { from, to, answer } = await this.#past.diff(between)
    // The helper process that made the answer does not know when credentials were first demanded.
    const commits = answer.commits.map((commit) =>
      this.#live.isUnproven(commit.revision) ? { ...commit, unproven: true as const } : commit,
    )
    return { from: from.revision, to: to.revision, ...answer, commits }
  }

  /**
   * Answers what would happen if services changed.
   *
   * @throws COORD_FIELD_*, COORD_SERVICE_NOT_FOUND for changes that are not possible; COORD_GRAPH_BUSY for large ones
   */
  async simulate(body: unknown): Promise<AtRevision<SimulateAnswer>> {
    const simulation = await inTurns(readSimulation(body))
    const read = new ReadRecords()
    await inTurns(simulatedChanges(this.#live.view, simulation, read))
    const { view } = this.#live
    const { revision } = view
    const changes = atOnce(simulatedChanges(view, simulation, read))
    const answer = isSmall(changes)
      ? await inTurns(simulate(graphOf(view), view.records, changes))
      : await this.#past.simulate(view, changes)
    return { ...answer, revision }
  }

  /**
   * Warnings about a registration.
   *
   * @param data its fields
   * @param registered the answer to it; absent for one that may be
   */
  registerWarnings(
    data: JsonObject,
    registered?: { readonly serviceId: string; readonly revision: Revision },
  ): readonly Warning[] {
    return graphWarnings(this.#live.view, data, registered)
  }

  /**
   * Derives the graph again and compares it with the live one. Only one comparison runs at a time; all callers that come
   * meanwhile share the next one.
   */
  rebuild(): Promise<RebuildAnswer> {
    return this.#rebuilds.run()
  }

  /**
   * The present graph as groups of its nodes, with the edges between them.
   *
   * @param healthOf the health of the service in a record. @default nobody knows it
   */
  async overview(
    question: OverviewOptions & TypeFilter,
    healthOf?: HealthOf,
  ): Promise<AtRevision<OverviewAnswer>> {
    const { revision } = this.#live.view
    const copy = this.#copy()
    return { ...(await inTurns(overview(copy, sortTypes(copy, question), healthOf))), revision }
  }

  /** The namespaces that have nodes, with how many each has. */
  namespaces(query?: NamespacesQuery): AtRevision<NodeNamespaces> {
    const { view } = this.#live
    return { ...listNamespaces(graphOf(view).namespaceSizes, query), revision: view.revision }
  }

  /** Figures for metrics. All are zero before the first load. */
  get figures(): GraphFigures {
    if (!this.#live.loaded) return noFigures
    const { nodeCount, edges, unresolvedCount, nodesByType, edgeTypes, edgesByType } = graphOf(
      this.#live.view,
    )
    return {
      nodes: nodeCount,
      edges: edges.count,
      unresolved: unresolvedCount,
      nodesByType,
      rebuildDifferences: this.#rebuilds.lastDifferences,
      edgesByType: new Map(edgeTypes.map((type, number) => [type, edgesByType[number] ?? 0])),
    }
  }

  /** Ends the helper processes. */
  async close(): Promise<void> {
    await Promise.all([this.#analysis.close(), this.#past.close()])
  }
}

/** Others get their turn between two pieces: a large graph must not delay requests. */
async function* chunksInTurns(chunks: Iterable<string>): AsyncGenerator<string> {
  for (const chunk of chunks) {
    if (chunk !== '') yield chunk
    await longTurn()
  }
}

function graphOf(view: View): GraphProjection {
  return view.projection(graphProjection)
}
