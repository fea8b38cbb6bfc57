import { toCoordinatorError } from '../../errors.ts'
import type { StoredRecord } from '../../records/record.ts'
import { answering, ClientQuestion } from '../../scheduling/client-question.ts'
import { inTurns } from '../../scheduling/pace.ts'
import { GraphAnalysis } from '../analysis/graph-analysis.ts'
import { exportGraph, graphFormats } from '../export/export-graph.ts'
import { DetachedGraph } from '../model/detached-graph.ts'
import { isServed } from '../model/is-served.ts'
import { answerQuestion } from '../questions/answer-question.ts'
import { selectGraph } from '../questions/select-graph.ts'
import { simulate } from '../simulate/simulate.ts'
import { DiffTracker } from './diff-tracker.ts'
import { HelperMemory } from './helper-memory.ts'
import type { WorkerReply, WorkerRequest, WorkerTask } from './worker-protocol.ts'

/**
 * The helper process: analysis of whole graphs, and graphs of the past. Works on one message after the other, and holds what
 * it was given until it is told to forget it.
 */
class GraphWorker {
  readonly #analyses = new Map<number, GraphAnalysis>()
  readonly #pasts = new Map<number, DetachedGraph>()
  readonly #trackers = new Map<number, DiffTracker>()
  readonly #exports = new Map<number, Iterator<string>>()
  readonly #memory = new HelperMemory()

  async run(task: WorkerTask): Promise<unknown> {
    if (task.do !== 'forget') this.#memory.check()
    switch (task.do) {
      case 'analyse':
        this.#analyses.set(task.key, new GraphAnalysis(task.edges))
        return undefined
      case 'components':
        return known(this.#analyses, task.key).components()
      case 'criticality':
        return known(this.#analyses, task.key).criticality()
      case 'dependents':
        return known(this.#analyses, task.key).dependents(task.nodes)
      case 'put':
        return this.#put(task.key, task.records)
      case 'ask':
        return answerQuestion(known(this.#pasts, task.key).graph, task.question)
      case 'export': {
        const { graph } = known(this.#pasts, task.graph)
        const selected = await inTurns(selectGraph(graph, task.filter, task.moment))
        this.#exports.set(task.key, exportGraph(graphFormats[task.format], selected))
        return selected.metadata
      }
      case 'nextChunk':
        return this.#nextChunk(task.key)
      case 'simulate': {
        const past = known(this.#pasts, task.key)
        return inTurns(simulate(past.graph, past.placed(task.changes)))
      }
      case 'diff':
        return this.#startDiff(task.key)
      case 'replay':
        for (const entry of task.entries) known(this.#trackers, task.key).play(entry)
        return undefined
      case 'differences':
        return known(this.#trackers, task.key).answer(task.limit)
      case 'forget':
        for (const held of [this.#analyses, this.#pasts, this.#trackers, this.#exports]) held.delete(task.key)
    }
    return undefined
  }

  #put(key: number, records: readonly StoredRecord[]): undefined {
    const past = this.#pasts.get(key) ?? new DetachedGraph()
    this.#pasts.set(key, past)
    for (const record of records) if (isServed(record)) past.put(record)
  }

  /** From now on the graph follows the journal: it is no graph of one moment any more. */
  #startDiff(key: number): undefined {
    const past = known(this.#pasts, key)
    this.#pasts.delete(key)
    this.#trackers.set(key, new DiffTracker(past))
  }

  #nextChunk(key: number): string | undefined {
    const { value, done } = known(this.#exports, key).next()
    if (!done) return value
    this.#exports.delete(key)
    return undefined
  }
}

function known<T>(held: ReadonlyMap<number, T>, key: number): T {
  const found = held.get(key)
  if (found === undefined) throw new Error(`the graph worker holds nothing under ${key}`)
  return found
}

const worker = new GraphWorker()
if (process.send === undefined) throw new Error('this module runs as a process of its own, with a channel')

/** Tasks that nobody waits for any more. */
const unwanted = new Set<number>()
let lastDone = 0
let underWay: Promise<void> = Promise.resolve()

process.on('message', ({ id, task }: WorkerRequest) => {
  if (task !== undefined) underWay = underWay.then(() => work(id, task))
  else if (id > lastDone) unwanted.add(id)
})

/** Does one task. Long work stops when nobody waits for it any more. */
async function work(id: number, task: WorkerTask): Promise<void> {
  const question = new ClientQuestion({
    ...{ client: '', topic: task.do, isAnswered: true },
    get isGone() {
      return unwanted.has(id)
    },
    onGone: () => () => undefined,
  })
  let reply: WorkerReply
  try {
    question.look()
    reply = { id, result: await answering(question, () => worker.run(task)) }
  } catch (thrown) {
    const { code, detail, hint, errors, extra } = toCoordinatorError(thrown)
    reply = { id, error: { code, detail, hint, errors, extra } }
  }
  lastDone = id
  unwanted.delete(id)
  // Where the coordinator is gone there is nobody left to work for.
  process.send?.(reply, undefined, undefined, (error) => {
    if (error !== null) process.exit(0)
  })
}
// A terminal sends its signals to this process too; the coordinator decides when it ends, and takes the channel away.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)
process.on('disconnect', () => process.exit(0))
