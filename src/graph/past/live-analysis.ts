import { setImmediate as turn } from 'node:timers/promises'
import type { View } from '../../live/view/view.ts'
import type { Revision } from '../../records/record.ts'
import { currentQuestion, forNobody } from '../../scheduling/client-question.ts'
import { inTurns } from '../../scheduling/pace.ts'
import { Semaphore } from '../../scheduling/semaphore.ts'
import { edgeListOf } from '../analysis/csr.ts'
import type { Criticality } from '../analysis/graph-analysis.ts'
import { graphProjection } from '../derive/graph-projection.ts'
import type { GraphReader } from '../model/graph-reader.ts'
import { sortTypes } from '../model/sort-types.ts'
import type { Question } from '../questions/answer-question.ts'
import { type CriticalAnswer, chooseCritical, critical } from '../questions/critical.ts'
import { type CyclesAnswer, cycles } from '../questions/cycles.ts'
import { GraphProcess } from './graph-process.ts'

/** How old an answer may be, in milliseconds. A copy is reused for this time. */
const MAX_AGE_MS = 1_000
/** How long an unused copy is kept, in milliseconds. It is as large as the graph. */
const KEEP_MS = 10_000
/** How many selections of edge types are kept for one copy. */
const MAX_ANALYSES = 4
/** Steps of analyses that are sent to the helper process at the same time, and how many more may wait. */
const MAX_AT_ONCE = 2
const MAX_WAITING = 100

/** A copy of the graph, with the results of the helper process. */
interface Snapshot {
  readonly view: View
  readonly revision: Revision
  readonly takenAt: number
  readonly generation: number
  readonly graph: GraphReader
  /** One entry for each selection of edge types. */
  readonly analyses: Map<string, RemoteAnalysis>
  /** The number of questions that are being answered from this copy. */
  users: number
}

/** Edges that the helper process keeps under a key, and the answers that it has given about them so far. */
interface RemoteAnalysis {
  readonly key: number
  /** The steps that were begun. All questions about the same edges share them. */
  readonly steps: Steps
}

interface Steps {
  /** Settles when the helper process has the edges. */
  ready?: Promise<void>
  components?: Promise<Int32Array>
  criticality?: Promise<Criticality>
}

type WholeGraphQuestion = Extract<Question, { ask: 'cycles' | 'critical' }>

interface AnalysedAnswer {
  readonly revision: Revision
  readonly answer: CyclesAnswer | CriticalAnswer
}

/**
 * Answers questions about the whole of a large graph, in another process, from a copy that cannot change. Answers may be a second old, and
 * say which revision they show.
 */
export class LiveAnalysis {
  readonly #helper = new GraphProcess()
  readonly #turns = new Semaphore({ max: MAX_AT_ONCE, maxWaiting: MAX_WAITING })
  #snapshot: Snapshot | undefined
  #release: NodeJS.Timeout | undefined
  #nextKey = 1

  answer(view: View, asked: WholeGraphQuestion): Promise<AnalysedAnswer> {
    return this.#helper.attempt(() => this.#answer(view, asked))
  }

  async close(): Promise<void> {
    this.#drop()
    await this.#helper.close()
  }

  async #answer(view: View, asked: WholeGraphQuestion): Promise<AnalysedAnswer> {
    const snapshot = this.#snapshotOf(view)
    const { graph, revision } = snapshot
    const question = sortTypes(graph, asked)
    snapshot.users += 1
    const analysis = this.#analysisOf(snapshot, question.edgeTypes)
    const { key, steps } = analysis
    try {
      await this.#step(steps, 'ready', async () => {
        // In a later turn, because the copy of a large graph was made in this one.
        await turn()
        await this.#helper.run('analyse', { key, edges: edgeListOf(graph, question.edgeTypes) })
      })
      if (question.ask === 'cycles') {
        const components = await this.#step(steps, 'components', () =>
          this.#helper.run('components', { key }),
        )
        return { revision, answer: await inTurns(cycles(graph, components, question)) }
      }
      const figures = await this.#step(steps, 'criticality', () => this.#helper.run('criticality', { key }))
      const choice = chooseCritical(graph, figures, question)
      const dependents = await this.#turns.run(
        () => this.#helper.run('dependents', { key, nodes: choice.needed }),
        currentQuestion(),
      )
      return { revision, answer: critical(graph, figures, { choice, dependents }) }
    } finally {
      if (![...snapshot.analyses.values()].includes(analysis)) this.#forgetAnalysis(analysis)
      snapshot.users -= 1
      if (snapshot !== this.#snapshot) this.#forget(snapshot)
    }
  }

  /**
   * Does a step, unless another question has begun it. Clients take turns for that. A step that was begun runs to its end, also when its
   * question has ended, and only then leaves its place to the next one.
   */
  async #step<N extends keyof Steps>(
    steps: Steps,
    name: N,
    work: () => NonNullable<Steps[N]>,
  ): Promise<Awaited<NonNullable<Steps[N]>>> {
    const begin = () => {
      const begun = steps[name] ?? (forNobody(work) as NonNullable<Steps[N]>)
      steps[name] = begun
      // A later question may try again.
      begun.catch(() => delete steps[name])
      return begun as Promise<Awaited<NonNullable<Steps[N]>>>
    }
    const begun = steps[name]
    return untilEnd(begun === undefined ? this.#turns.run(begin, currentQuestion()) : begin())
  }

  /** Many callers ask about the same types of edges. A selection that only one caller uses is dropped after the answer. */
  #analysisOf({ analyses }: Snapshot, edgeTypes: readonly string[] | undefined): RemoteAnalysis {
    const name = edgeTypes === undefined ? '' : [...new Set(edgeTypes)].sort().join()
    const known = analyses.get(name)
    if (known !== undefined) return known
    const analysis = { key: this.#nextKey++, steps: {} }
    if (analyses.size < MAX_ANALYSES) analyses.set(name, analysis)
    return analysis
  }

  #snapshotOf(view: View): Snapshot {
    const { generation } = this.#helper
    const known = this.#snapshot
    if (known?.view === view && known.generation === generation)
      if (known.revision === view.revision || performance.now() - known.takenAt < MAX_AGE_MS) return known
    this.#drop()
    this.#release = setTimeout(() => this.#drop(), KEEP_MS).unref()
    this.#snapshot = {
      view,
      revision: view.revision,
      takenAt: performance.now(),
      generation,
      graph: view.projection(graphProjection).copy(),
      analyses: new Map(),
      users: 0,
    }
    return this.#snapshot
  }

  #drop(): void {
    clearTimeout(this.#release)
    const snapshot = this.#snapshot
    this.#snapshot = undefined
    if (snapshot !== undefined) this.#forget(snapshot)
  }

  #forget({ analyses, users, generation }: Snapshot): void {
    if (users > 0 || generation !== this.#helper.generation) return
    for (const analysis of analyses.values()) this.#forgetAnalysis(analysis)
  }

  /** If the edges are still on their way, they must be forgotten after they have arrived. */
  #forgetAnalysis({ key, steps }: RemoteAnalysis): void {
    const forget = () => void this.#helper.forget(key)
    if (steps.ready === undefined) forget()
    else steps.ready.then(forget, forget)
  }
}

/** Waits for work that questions share, until this question ends. */
function untilEnd<T>(shared: Promise<T>): Promise<T> {
  return currentQuestion()?.orEnd(shared) ?? shared
}
