import type { Moment } from '../../database/store.ts'
import { CoordinatorError } from '../../errors.ts'
import type { Live } from '../../live/live.ts'
import { keptBytes } from '../../live/memory/kept-bytes.ts'
import type { View } from '../../live/view/view.ts'
import type { Position, Revision, StoredRecord } from '../../records/record.ts'
import { currentQuestion } from '../../scheduling/client-question.ts'
import { Semaphore } from '../../scheduling/semaphore.ts'
import type { FormatName, GraphMetadata } from '../export/export-graph.ts'
import type { AnswerTo, Question } from '../questions/answer-question.ts'
import { isTooLarge } from '../questions/question-too-large.ts'
import type { GraphFilter } from '../questions/select-graph.ts'
import type { SimulateAnswer, SimulatedChange } from '../simulate/simulate.ts'
import type { DiffAnswer } from './diff-tracker.ts'
import { GraphProcess } from './graph-process.ts'

/** Graphs of the past that are kept for the next question. */
const MAX_KEPT = 4
/** Graphs that are built, compared or tried out at the same time; more wait. */
const MAX_AT_ONCE = 2
/** So many may wait; of a large graph each takes seconds. Who goes away gives the place up. */
const MAX_WAITING = 100
/** Graphs are dropped earlier if together they use more than this part of the helper's heap, as far as that is known. */
const MAX_KEPT_PART = 0.4
/** How many records are sent to the helper at once, which takes some milliseconds; and their size, in UTF-16 code units. */
const RECORDS_AT_ONCE = 500
const SIZE_AT_ONCE = 2_097_152
/** Commits between the two ends of one comparison. */
export const MAX_DIFF_REVISIONS = 200_000
const REPLAY_LIMIT = 512

/** A graph that the helper process holds. */
interface PastGraph {
  readonly key: number
  readonly position: Position
  /** Time of the newest change that is in it, epoch milliseconds. */
  readonly at: number
  readonly generation: number
  /** An estimate of its memory. */
  readonly bytes: number
  /** Questions that are being asked of it. */
  users: number
}

export interface PastDiff {
  readonly from: Position
  readonly to: Position
  readonly answer: DiffAnswer
}

export interface PastExport {
  readonly metadata: GraphMetadata
  readonly position: Position
  readonly chunks: AsyncIterable<string>
}

/** Graphs of one moment, built in another process: as they stood, from records that the store tells; or as they are. */
export class PastGraphs {
  readonly #live: Live
  readonly #helper = new GraphProcess()
  /** By lineage and revision, the one used last at the end. */
  readonly #kept = new Map<string, PastGraph>()
  #nextKey = 1
  /** For work for which the helper holds a graph of its own. */
  readonly #slots = new Semaphore(MAX_AT_ONCE, MAX_WAITING)

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
      answer: (await this.#helper.run({ do: 'ask', key, question })) as AnswerTo<Q>,
    }))
  }

  /** The text of a graph, made piece by piece as it is read. */
  export(
    moment: Moment,
    part: { readonly format: FormatName; readonly filter: GraphFilter },
  ): Promise<PastExport> {
    return this.#withGraph(moment, async ({ key: graph, position, at }) => {
      const key = this.#nextKey++
      const shown = { revision: position.revision, at }
      try {
        const metadata = await this.#helper.run({ do: 'export', key, graph, ...part, moment: shown })
        return { metadata: metadata as GraphMetadata, position, chunks: this.#chunks(key) }
      } catch (thrown) {
        // The helper may have begun it nevertheless.
        await this.#helper.forget(key)
        throw thrown
      }
    })
  }

  /**
   * What is different at one moment from another before it, and which commits did it.
   *
   * @throws COORD_QUERY_INVALID where `to` is before `from`, or too far behind it; what `ask` throws for either moment
   */
  async diff({
    from,
    to,
    limit,
  }: {
    readonly from: Moment
    readonly to: Moment
    readonly limit: number
  }): Promise<PastDiff> {
    const [start, end] = [await this.#positionAt(from), await this.#positionAt(to)]
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
        await this.#helper.run({ do: 'diff', key })
        await this.#replay(key, position, end)
        const answer = (await this.#helper.run({ do: 'differences', key, limit })) as DiffAnswer
        return { from: position, to: end, answer }
      } finally {
        await this.#helper.forget(key)
      }
    })
  }

  /** What would happen if so much changed that others had to wait for it. Shows the view as it is at the call. */
  simulate(view: View, changes: readonly SimulatedChange[]): Promise<SimulateAnswer> {
    const records = ['service', 'node', 'edge'].flatMap((kind) => [...view.records.of(kind)])
    return this.#inTurn(async () => {
      const key = this.#nextKey++
      try {
        await this.#put(key, records)
        return (await this.#helper.run({ do: 'simulate', key, changes })) as SimulateAnswer
      } finally {
        await this.#helper.forget(key)
      }
    })
  }

  close(): Promise<void> {
    return this.#helper.close()
  }

  /** Which revision a moment means. No record has this id, so nothing but the position comes. */
  async #positionAt(moment: Moment): Promise<Position> {
    for await (const { position } of this.#live.asOf(moment, { kind: 'graph', id: '-' })) return position
    throw pastWithoutPage()
  }

  /** When a revision was committed that left no record behind, such as a deletion. @param fallback where that is forgotten */
  async #timeOf({ revision }: Position, fallback: number): Promise<number> {
    if (revision === 0) return fallback
    try {
      const reply = await this.#live.changes(await this.#positionAt({ revision: revision - 1 }), 1)
      return (reply.status === 'ok' ? reply.entries[0]?.at : undefined) ?? fallback
    } catch (thrown) {
      if (thrown instanceof CoordinatorError && thrown.code === 'COORD_REVISION_COMPACTED') return fallback
      throw thrown
    }
  }

  async #replay(key: number, from: Position, to: Position): Promise<void> {
    let position = from
    while (position.revision < to.revision) {
      const reply = await this.#live.changes(position, REPLAY_LIMIT)
      if (reply.status === 'compacted') throw new CoordinatorError('COORD_REVISION_COMPACTED')
      const entries =
        reply.status === 'ok' ? reply.entries.filter(({ revision }) => revision <= to.revision) : []
      const last = entries.at(-1)
      if (last === undefined)
        throw new CoordinatorError('COORD_STORE_BUSY', { detail: 'The history changed while it was read.' })
      await this.#helper.run({ do: 'replay', key, entries })
      position = { lineage: position.lineage, revision: last.revision, digest: last.digest }
    }
  }

  /** Not a generator: one that is let go of before its first piece has nowhere to forget what the helper holds for it. */
  #chunks(key: number): AsyncIterableIterator<string> {
    const end = async () => {
      await this.#helper.forget(key)
      return { done: true, value: undefined } as const
    }
    const next = async () => {
      for (;;) {
        const chunk = (await this.#helper.run({ do: 'nextChunk', key })) as string | undefined
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

  /** Does work for which the helper holds a graph of its own, when its turn comes. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const attempt = () => this.#withRoom(() => this.#helper.attempt(work))
    return this.#slots.run(attempt, currentQuestion())
  }

  async #withGraph<T>(moment: Moment, use: (graph: PastGraph) => Promise<T>): Promise<T> {
    // A time is made a revision first: asked again, it finds the graph that was built for it.
    const revision = 'revision' in moment ? moment.revision : (await this.#positionAt(moment)).revision
    const work = async () => {
      // Another question may have built the same graph while this one waited for its turn.
      const build = async () => this.#useKept(revision) ?? this.#use(await this.#build(revision))
      return this.#used(this.#useKept(revision) ?? (await this.#slots.run(build, currentQuestion())), use)
    }
    return this.#withRoom(() => this.#helper.attempt(work))
  }

  /** A graph that does not fit beside the kept graphs may fit without them. */
  async #withRoom<T>(work: () => Promise<T>): Promise<T> {
    const { generation } = this.#helper
    try {
      return await work()
    } catch (thrown) {
      const unused = [...this.#kept.values()].filter(({ users }) => users === 0)
      // If the process died of this graph, it kept no other graphs, and would die again.
      const canHelp = isTooLarge(thrown) && generation === this.#helper.generation && unused.length > 0
      if (!canHelp) throw thrown
      for (const graph of unused) this.#kept.delete(nameOf(graph))
      await Promise.all(unused.map((graph) => this.#drop(graph)))
      return work()
    }
  }

  async #used<T>(graph: PastGraph, use: (graph: PastGraph) => Promise<T>): Promise<T> {
    try {
      return await use(graph)
    } catch (thrown) {
      throw atMoment(thrown, graph.position)
    } finally {
      graph.users -= 1
      if (graph.users === 0 && !this.#isKept(graph)) await this.#helper.forget(graph.key)
    }
  }

  #useKept(revision: Revision): PastGraph | undefined {
    const kept = this.#kept.get(`${this.#live.view.lineage} ${revision}`)
    return kept?.generation === this.#helper.generation ? this.#use(kept) : undefined
  }

  /** Counts a user from now on: a graph that has none may be let go of at any time. */
  #use(graph: PastGraph): PastGraph {
    graph.users += 1
    this.#keep(graph)
    return graph
  }

  /** Counts a graph as used now, and lets go of the one that was not used for longest. */
  #keep(graph: PastGraph): void {
    const name = nameOf(graph)
    const twin = this.#kept.get(name)
    this.#kept.delete(name)
    this.#kept.set(name, graph)
    if (twin !== undefined && twin !== graph) void this.#drop(twin)
    const mostBytes = this.#helper.heapMiB * 1_048_576 * MAX_KEPT_PART
    let bytes = 0
    for (const kept of this.#kept.values()) bytes += kept.bytes
    for (const oldest of this.#kept.values()) {
      if (this.#kept.size === 1 || (this.#kept.size <= MAX_KEPT && bytes <= mostBytes)) return
      this.#kept.delete(nameOf(oldest))
      bytes -= oldest.bytes
      void this.#drop(oldest)
    }
  }

  /** A graph that somebody still asks goes when the last of them has an answer. */
  async #drop(graph: PastGraph): Promise<void> {
    if (graph.users === 0 && graph.generation === this.#helper.generation)
      await this.#helper.forget(graph.key)
  }

  #isKept(graph: PastGraph): boolean {
    return this.#kept.get(nameOf(graph)) === graph
  }

  /** Sends records to the helper, in parts. Without records the graph is empty. */
  async #put(key: number, records: readonly StoredRecord[]): Promise<void> {
    for (let at = 0; at === 0 || at < records.length; ) {
      const first = at
      for (let size = 0; at < records.length && at - first < RECORDS_AT_ONCE && size < SIZE_AT_ONCE; at += 1)
        size += (records[at] as StoredRecord).data.length
      await this.#helper.run({ do: 'put', key, records: records.slice(first, at) })
      if (records.length === 0) return
    }
  }

  async #build(revision: Revision): Promise<PastGraph> {
    const key = this.#nextKey++
    try {
      let found: { position: Position; at: number } | undefined
      let newest = 0
      let bytes = 0
      for await (const { position, records } of this.#live.asOf({ revision })) {
        const at = records.reduce((latest, { updatedAt }) => Math.max(latest, updatedAt), found?.at ?? 0)
        newest = records.reduce((latest, record) => Math.max(latest, record.revision), newest)
        found = { position, at }
        const stated = records.filter(({ kind }) => kind === 'service' || kind === 'node' || kind === 'edge')
        bytes += keptBytes(stated)
        await this.#put(key, stated)
      }
      if (found === undefined) throw pastWithoutPage()
      const at = newest === found.position.revision ? found.at : await this.#timeOf(found.position, found.at)
      return { key, ...found, at, bytes, generation: this.#helper.generation, users: 0 }
    } catch (thrown) {
      await this.#helper.forget(key)
      throw thrown
    }
  }
}

function nameOf({ position: { lineage, revision } }: PastGraph): string {
  return `${lineage} ${revision}`
}

/** What was not there is said with the moment: it may well be there now. */
function atMoment(thrown: unknown, { revision }: Position): unknown {
  if (!(thrown instanceof CoordinatorError) || !thrown.code.endsWith('_NOT_FOUND')) return thrown
  const { code, detail, errors } = thrown
  const moment = `at revision ${revision}.`
  return new CoordinatorError(code, {
    detail: detail.replace(/\.$/, ` ${moment}`),
    errors,
    extra: { revision },
  })
}

function badEnd(detail: string, message: string): CoordinatorError {
  return new CoordinatorError('COORD_QUERY_INVALID', { detail, errors: [{ path: 'to', message }] })
}

function pastWithoutPage(): CoordinatorError {
  return new CoordinatorError('COORD_STORE_FAULT', {
    detail: 'The store told the past without a single page.',
  })
}
