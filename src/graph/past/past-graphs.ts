import type { Moment } from '../../database/store.ts'
import { CoordinatorError } from '../../errors.ts'
import type { Live } from '../../live/live.ts'
import { keptBytes } from '../../live/memory/kept-bytes.ts'
import type { View } from '../../live/view/view.ts'
import type { Position, Revision, StoredRecord } from '../../records/record.ts'
import { currentQuestion } from '../../scheduling/client-question.ts'
import { Semaphore } from '../../scheduling/semaphore.ts'
import { graphProjection } from '../derive/graph-projection.ts'
import type { FormatName } from '../export/export-graph.ts'
import type { AnswerTo, Question } from '../questions/answer-question.ts'
import type { GraphFilter, GraphMetadata } from '../questions/select-graph.ts'
import type { SimulateAnswer } from '../simulate/simulate.ts'
import type { SimulatedChange } from '../simulate/simulated-records.ts'
import type { DiffAnswer, DiffOptions } from './diff-tracker.ts'
import { GraphProcess } from './graph-process.ts'
import { KeptGraphs, type PastGraph } from './kept-graphs.ts'
import { isTooLarge } from './question-too-large.ts'
import { entriesBetween, inParts, positionAt, timeOf } from './read-past.ts'

/** Graphs that are built, compared or simulated at the same time. More have to wait. */
const MAX_AT_ONCE = 2
/** How many more may wait. Each takes seconds in a large graph. Work whose client has gone stops waiting. */
const MAX_WAITING = 100
/**
 * Questions that are sent to the helper at once, and how many more may wait. The helper answers one after the other; clients take turns
 * for that. Most questions take milliseconds.
 */
const MAX_ASKED = 4
const MAX_ASKING = 1_000
/** Commits between the two ends of one comparison. */
const MAX_DIFF_REVISIONS = 200_000

/** Graphs of one moment, built in another process: of the past, from records of the store, or of the present. */
export class PastGraphs {
  readonly #live: Live
  readonly #helper = new GraphProcess()
  readonly #kept = new KeptGraphs(this.#helper)
  /** For work for which the helper builds a graph. */
  readonly #building = new Semaphore({ max: MAX_AT_ONCE, maxWaiting: MAX_WAITING })
  readonly #asking = new Semaphore({ max: MAX_ASKED, maxWaiting: MAX_ASKING })
  #nextKey = 1

  constructor(live: Live) {
    this.#live = live
  }

  /**
   * @throws COORD_REVISION_COMPACTED, COORD_REVISION_FUTURE, COORD_STORE_*, COORD_GRAPH_BUSY, and what the question throws
   */
  ask<Q extends Question>(
    moment: Moment,
    question: Q,
  ): Promise<{ readonly position: Position; readonly answer: AnswerTo<Q> }> {
    return this.#withGraph(moment, async ({ key, position }) => ({
      position,
      answer: (await this.#asking.run(
        () => this.#helper.run('ask', { key, question }),
        currentQuestion(),
      )) as AnswerTo<Q>,
    }))
  }

  /** The text of a graph, made piece by piece as it is read. */
  export(
    moment: Moment,
    part: { readonly format: FormatName; readonly filter: GraphFilter },
  ): Promise<{ readonly metadata: GraphMetadata; readonly chunks: AsyncIterable<string> }> {
    return this.#withGraph(moment, async ({ key: graph, position: { revision }, at }) => {
      const key = this.#nextKey++
      try {
        const metadata = await this.#helper.run('export', { key, graph, ...part, moment: { revision, at } })
        return { metadata, chunks: this.#chunks(key) }
      } catch (thrown) {
        // The helper may have started it anyway.
        await this.#helper.forget(key)
        throw thrown
      }
    })
  }

  /**
   * Compares two moments, and names the commits that caused each difference.
   *
   * @throws COORD_QUERY_INVALID where `to` is before `from`, or too far behind it; what `ask` throws for either moment
   */
  async diff({
    from,
    to,
    ...options
  }: DiffOptions & {
    readonly from: Moment
    readonly to: Moment
  }): Promise<{ readonly from: Position; readonly to: Position; readonly answer: DiffAnswer }> {
    const [start, end] = [await positionAt(this.#live, from), await positionAt(this.#live, to)]
    const span = end.revision - start.revision
    if (span < 0) throw badEnd('`to` is before `from`.', 'is before from')
    if (span > MAX_DIFF_REVISIONS)
      throw badEnd(
        `There are ${span} commits between \`from\` and \`to\`; at most ${MAX_DIFF_REVISIONS} can be compared.`,
        'is too far behind from',
      )
    return this.#inTurn(async () => {
      const { key, position } = await this.#build(start.revision)
      try {
        await this.#helper.run('diff', { key })
        for await (const entries of entriesBetween(this.#live, position, end))
          await this.#helper.run('replay', { key, entries })
        return { from: position, to: end, answer: await this.#helper.run('differences', { key, ...options }) }
      } finally {
        await this.#helper.forget(key)
      }
    })
  }

  /** Simulates changes that are too large for the live graph. The answer shows the view as it is at the call. */
  simulate(view: View, changes: readonly SimulatedChange[]): Promise<SimulateAnswer> {
    const records = graphProjection.kinds.flatMap((kind) => [...view.records.of(kind)])
    return this.#inTurn(async () => {
      const key = this.#nextKey++
      try {
        await this.#put(key, records)
        return await this.#helper.run('simulate', { key, changes })
      } finally {
        await this.#helper.forget(key)
      }
    })
  }

  close(): Promise<void> {
    return this.#helper.close()
  }

  /** The chunks of an export. This is no generator: its `finally` would not run if the reader stopped before the first chunk. */
  #chunks(key: number): AsyncIterableIterator<string> {
    const end = async () => {
      await this.#helper.forget(key)
      return { done: true, value: undefined } as const
    }
    const next = async () => {
      for (;;) {
        const chunk = await this.#helper.run('nextChunk', { key })
        if (chunk === undefined) return end()
        if (chunk !== '') return { done: false, value: chunk } as const
      }
    }
    const chunks = {
      next: () =>
        next().catch(async (thrown: unknown) => {
          await end()
          throw thrown
        }),
      return: end,
      [Symbol.asyncIterator]: () => chunks,
    }
    return chunks
  }

  /** Waits for its turn, and does work for which the helper builds a graph of its own. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    return this.#building.run(() => this.#withRoom(work), currentQuestion())
  }

  async #withGraph<T>(moment: Moment, use: (graph: PastGraph) => Promise<T>): Promise<T> {
    // A time is converted to a revision first. When the same time is asked for again, its graph is found.
    const revision = 'revision' in moment ? moment.revision : (await positionAt(this.#live, moment)).revision
    const kept = () => this.#kept.use(this.#live.view.lineage, revision)
    return this.#withRoom(async () => {
      // Another question may have built the same graph while this one waited for its turn.
      const build = async () => kept() ?? this.#kept.keep(await this.#build(revision))
      const graph = kept() ?? (await this.#building.run(build, currentQuestion()))
      try {
        return await use(graph)
      } catch (thrown) {
        throw atMoment(thrown, graph.position)
      } finally {
        await this.#kept.leave(graph)
      }
    })
  }

  /** A graph that does not fit beside the kept graphs may fit without them. */
  async #withRoom<T>(work: () => Promise<T>): Promise<T> {
    const { generation } = this.#helper
    try {
      return await this.#helper.attempt(work)
    } catch (thrown) {
      // If the process died, it lost the kept graphs too. There is then nothing to drop, and a second attempt would fail again.
      const died = generation !== this.#helper.generation
      if (!isTooLarge(thrown) || died || !(await this.#kept.dropUnused())) throw thrown
      return this.#helper.attempt(work)
    }
  }

  async #put(key: number, records: readonly StoredRecord[]): Promise<void> {
    for (const part of inParts(records)) await this.#helper.run('put', { key, records: part })
  }

  async #build(revision: Revision): Promise<PastGraph> {
    const key = this.#nextKey++
    try {
      let position: Position | undefined
      let [at, newest, bytes] = [0, 0, 0]
      for await (const page of this.#live.asOf({ revision })) {
        position = page.position
        for (const record of page.records) {
          at = Math.max(at, record.updatedAt)
          newest = Math.max(newest, record.revision)
        }
        const records = page.records.filter(({ kind }) => graphProjection.kinds.includes(kind))
        bytes += keptBytes(records)
        await this.#put(key, records)
      }
      position ??= await positionAt(this.#live, { revision })
      if (newest !== position.revision) at = await timeOf(this.#live, position, at)
      return { key, position, at, bytes, generation: this.#helper.generation, users: 0 }
    } catch (thrown) {
      await this.#helper.forget(key)
      throw thrown
    }
  }
}

/** Adds the moment to an error about a missing node or edge: it may exist now. */
function atMoment(thrown: unknown, { revision }: Position): unknown {
  if (!(thrown instanceof CoordinatorError) || !thrown.code.endsWith('_NOT_FOUND')) return thrown
  const { code, detail, errors, extra } = thrown
  return new CoordinatorError(code, {
    detail: detail.replace(/\.(?=$| Did you mean )/, ` at revision ${revision}.`),
    errors,
    extra: { ...extra, revision },
  })
}

function badEnd(detail: string, message: string): CoordinatorError {
  return new CoordinatorError('COORD_QUERY_INVALID', { detail, errors: [{ path: 'to', message }] })
}
