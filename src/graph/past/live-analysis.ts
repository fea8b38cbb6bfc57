import { setImmediate as turn } from 'node:timers/promises'
import type { View } from '../../live/view/view.ts'
import type { Revision } from '../../records/record.ts'
import { currentQuestion, forNobody } from '../../scheduling/client-question.ts'
import { inTurns } from '../../scheduling/pace.ts'
import type { Criticality } from '../analysis/graph-analysis.ts'
import { edgeListOf } from '../model/csr.ts'
import { graphProjection } from '../model/graph-projection.ts'
import type { GraphReader } from '../model/graph-reader.ts'
import { sortTypes } from '../model/sort-types.ts'
import type { Question } from '../questions/answer-question.ts'
import { type CriticalAnswer, type CriticalOptions, chooseCritical, critical } from '../questions/critical.ts'
import { type CyclesAnswer, cycles } from '../questions/cycles.ts'
import { GraphProcess } from './graph-process.ts'

/** How far an answer may be behind, in milliseconds: a copy is used again for so long. */
const MAX_AGE_MS = 1_000
/** How long a copy is kept that nobody asks, in milliseconds: it is as large as the graph. */
const KEEP_MS = 10_000

/** Choices of edge types that are kept for one copy. */
const MAX_ANALYSES = 4

/** A copy of the graph, and what the helper process found out about it. */
interface Snapshot {
  readonly view: View
  readonly revision: Revision
  readonly lineage: string
  readonly takenAt: number
  readonly generation: number
  readonly graph: GraphReader
  /** By the types of edges that count. */
  readonly analyses: Map<string, RemoteAnalysis>
  /** Questions that are being answered from it. */
  users: number
}

/** What the helper process has under a key, and what it answered already. */
interface RemoteAnalysis {
  readonly key: number
  /** Settles when the helper process has the edges. */
  readonly ready: Promise<unknown>
  components?: Promise<Int32Array>
  criticality?: Promise<Criticality>
}

type WholeGraphQuestion = Extract<Question, { ask: 'cycles' | 'critical' }>

export interface AnalysedAnswer {
  readonly revision: Revision
  readonly lineage: string
  readonly answer: CyclesAnswer | CriticalAnswer
}

/**
 * Answers questions that look at the whole of a large graph, in another process, on a copy that cannot change. Answers may
 * be a second behind, and say which revision they show.
 */
export class LiveAnalysis {
  readonly #helper = new GraphProcess()
  #snapshot: Snapshot | undefined
  #release: NodeJS.Timeout | undefined
  #nextKey = 1

  answer(view: View, asked: WholeGraphQuestion): Promise<AnalysedAnswer> {
    return this.#helper.attempt(() => this.#answer(view, asked))
  }

  async #answer(view: View, asked: WholeGraphQuestion): Promise<AnalysedAnswer> {
    const snapshot = this.#snapshotOf(view)
    const { graph, revision, lineage } = snapshot
    const question = sortTypes(graph, asked)
    snapshot.users += 1
    const analysis = this.#analysisOf(snapshot, question.edgeTypes)
    try {
      const answer =
        question.ask === 'cycles'
          ? await inTurns(cycles(graph, await this.#components(analysis), question))
          : await this.#critical(graph, analysis, question)
      return { revision, lineage, answer }
    } finally {
      if (![...snapshot.analyses.values()].includes(analysis)) void this.#helper.forget(analysis.key)
      snapshot.users -= 1
      if (snapshot !== this.#snapshot) this.#forget(snapshot)
    }
  }

  async close(): Promise<void> {
    this.#drop()
    await this.#helper.close()
  }

  /** Many ask about the same types of edges; what only one asks about is forgotten with the answer. */
  #analysisOf({ analyses, graph }: Snapshot, edgeTypes: readonly string[] | undefined): RemoteAnalysis {
    const name = edgeTypes === undefined ? '' : [...new Set(edgeTypes)].sort().join()
    const known = analyses.get(name)
    if (known !== undefined) return known
    const analysis = this.#handOver(graph, edgeTypes)
    if (analyses.size < MAX_ANALYSES) analyses.set(name, analysis)
    return analysis
  }

  async #components(analysis: RemoteAnalysis): Promise<Int32Array> {
    const { key } = analysis
    await untilEnd(analysis.ready)
    analysis.components ??= forNobody(() =>
      this.#helper.run({ do: 'components', key }),
    ) as Promise<Int32Array>
    return untilEnd(analysis.components)
  }

  async #critical(
    graph: GraphReader,
    analysis: RemoteAnalysis,
    question: CriticalOptions,
  ): Promise<CriticalAnswer> {
    const { key } = analysis
    await untilEnd(analysis.ready)
    analysis.criticality ??= forNobody(() =>
      this.#helper.run({ do: 'criticality', key }),
    ) as Promise<Criticality>
    const figures = await untilEnd(analysis.criticality)
    const choice = chooseCritical(graph, figures, question)
    const counted = await this.#helper.run({ do: 'dependents', key, nodes: choice.needed })
    return critical(graph, figures, { choice, dependents: counted as readonly number[] })
  }

  #snapshotOf(view: View): Snapshot {
    const known = this.#snapshot
    if (known?.view === view && known.generation === this.#helper.generation)
      if (known.revision === view.revision || performance.now() - known.takenAt < MAX_AGE_MS) return known
    this.#drop()
    this.#release = setTimeout(() => this.#drop(), KEEP_MS).unref()
    const { revision, lineage } = view
    const graph = view.projection(graphProjection).copy()
    const { generation } = this.#helper
    const takenAt = performance.now()
    this.#snapshot = { view, revision, lineage, takenAt, generation, graph, analyses: new Map(), users: 0 }
    return this.#snapshot
  }

  #handOver(graph: GraphReader, edgeTypes: readonly string[] | undefined): RemoteAnalysis {
    const key = this.#nextKey++
    // In a turn of its own: the copy of a large graph was made in this one.
    const ready = forNobody(async () => {
      await turn()
      return this.#helper.run({ do: 'analyse', key, edges: edgeListOf(graph, edgeTypes) })
    })
    // The error reaches the questions that wait for it.
    ready.catch(() => undefined)
    return { key, ready }
  }

  #drop(): void {
    clearTimeout(this.#release)
    const snapshot = this.#snapshot
    this.#snapshot = undefined
    if (snapshot !== undefined) this.#forget(snapshot)
  }

  #forget({ analyses, users, generation }: Snapshot): void {
    if (users > 0 || generation !== this.#helper.generation) return
    for (const { key } of analyses.values()) void this.#helper.forget(key)
  }
}

/** Waits for work that questions share, until this question ends. */
function untilEnd<T>(shared: Promise<T>): Promise<T> {
  return currentQuestion()?.orEnd(shared) ?? shared
}
