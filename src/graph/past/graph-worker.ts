import type { Entry, StoredRecord } from '../../records/record.ts'
import { inTurns } from '../../scheduling/pace.ts'
import { serveProcess } from '../../workers/serve-requests.ts'
import type { EdgeList } from '../analysis/csr.ts'
import { GraphAnalysis } from '../analysis/graph-analysis.ts'
import { DetachedGraph } from '../derive/detached-graph.ts'
import { exportGraph, type FormatName, graphFormats } from '../export/export-graph.ts'
import { answerQuestion, type Question } from '../questions/answer-question.ts'
import { type GraphFilter, type GraphMoment, selectGraph } from '../questions/select-graph.ts'
import { simulate } from '../simulate/simulate.ts'
import type { SimulatedChange } from '../simulate/simulated-records.ts'
import { type DiffOptions, DiffTracker } from './diff-tracker.ts'
import { HelperMemory } from './helper-memory.ts'
import { isGraphRecord } from './is-graph-record.ts'

/** The name of data in the helper process. The caller chooses it. */
interface Key {
  readonly key: number
}

/**
 * The work of the helper process: analysis of whole graphs, and graphs of the past. It keeps the data that it receives until it is told to
 * release it.
 */
export class GraphWorker {
  readonly #analyses = new Map<number, GraphAnalysis>()
  readonly #pasts = new Map<number, DetachedGraph>()
  readonly #trackers = new Map<number, DiffTracker>()
  readonly #exports = new Map<number, Iterator<string>>()

  analyse({ key, edges }: Key & { readonly edges: EdgeList }) {
    this.#analyses.set(key, new GraphAnalysis(edges))
  }

  components({ key }: Key) {
    return known(this.#analyses, key).components()
  }

  criticality({ key }: Key) {
    return known(this.#analyses, key).criticality()
  }

  dependents({ key, nodes }: Key & { readonly nodes: readonly number[] }) {
    return known(this.#analyses, key).dependents(nodes)
  }

  put({ key, records }: Key & { readonly records: readonly StoredRecord[] }) {
    const past = this.#pasts.get(key) ?? new DetachedGraph()
    this.#pasts.set(key, past)
    for (const record of records) if (isGraphRecord(record)) past.put(record)
  }

  ask({ key, question }: Key & { readonly question: Question }) {
    return answerQuestion(known(this.#pasts, key).graph, question)
  }

  /** @param task `key` is the key of the new export, `graph` is the key of a graph */
  async export({
    key,
    graph,
    format,
    filter,
    moment,
  }: Key & {
    readonly graph: number
    readonly format: FormatName
    readonly filter: GraphFilter
    readonly moment: GraphMoment
  }) {
    const selected = await inTurns(selectGraph(known(this.#pasts, graph).graph, filter, moment))
    this.#exports.set(key, exportGraph(graphFormats[format], selected))
    return selected.metadata
  }

  nextChunk({ key }: Key): string | undefined {
    const { value, done } = known(this.#exports, key).next()
    if (!done) return value
    this.#exports.delete(key)
    return undefined
  }

  simulate({ key, changes }: Key & { readonly changes: readonly SimulatedChange[] }) {
    const { graph, records } = known(this.#pasts, key)
    return inTurns(simulate(graph, records, changes))
  }

  /** From now on the graph follows the journal. It no longer shows one moment. */
  diff({ key }: Key) {
    this.#trackers.set(key, new DiffTracker(known(this.#pasts, key)))
    this.#pasts.delete(key)
  }

  replay({ key, entries }: Key & { readonly entries: readonly Entry[] }) {
    for (const entry of entries) known(this.#trackers, key).play(entry)
  }

  differences({ key, ...options }: Key & DiffOptions) {
    return known(this.#trackers, key).answer(options)
  }

  forget({ key }: Key) {
    for (const held of [this.#analyses, this.#pasts, this.#trackers, this.#exports]) held.delete(key)
  }
}

function known<T>(held: ReadonlyMap<number, T>, key: number): T {
  const found = held.get(key)
  if (found === undefined) throw new Error(`the graph worker holds nothing under ${key}`)
  return found
}

const memory = new HelperMemory()
serveProcess(new GraphWorker(), {
  fallback: 'COORD_INTERNAL',
  begin: (method) => {
    if (method !== 'forget') memory.check()
  },
})
