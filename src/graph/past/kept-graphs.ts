import type { Position, Revision } from '../../records/record.ts'
import type { GraphProcess } from './graph-process.ts'

/** Graphs of the past that are kept for the next question. */
const MAX_KEPT = 4
/** Graphs are dropped earlier if together they use more than this part of the helper's heap, as far as that is known. */
const MAX_KEPT_PART = 0.4

/** A graph that the helper process holds. */
export interface PastGraph {
  readonly key: number
  readonly position: Position
  /** Time of the newest change in it, epoch milliseconds. */
  readonly at: number
  readonly generation: number
  /** An estimate of its memory. */
  readonly bytes: number
  /** The number of questions that use it. A graph without users may be dropped at any time. */
  users: number
}

/** The graphs that the helper process keeps for later questions. */
export class KeptGraphs {
  readonly #helper: GraphProcess
  /** The graphs by lineage and revision. The most recently used one is at the end. */
  readonly #kept = new Map<string, PastGraph>()

  constructor(helper: GraphProcess) {
    this.#helper = helper
  }

  /** The graph of a moment, with one more user; `undefined` if it is not kept. */
  use(lineage: string, revision: Revision): PastGraph | undefined {
    const kept = this.#kept.get(nameOf({ lineage, revision }))
    return kept?.generation === this.#helper.generation ? this.keep(kept) : undefined
  }

  /** Counts one more user of a graph, and drops those that were not used for longest. */
  keep(graph: PastGraph): PastGraph {
    graph.users += 1
    const name = nameOf(graph.position)
    const twin = this.#kept.get(name)
    this.#kept.delete(name)
    this.#kept.set(name, graph)
    if (twin !== undefined && twin !== graph) void this.#drop(twin)
    const mostBytes = this.#helper.heapMiB * 1_048_576 * MAX_KEPT_PART
    let bytes = 0
    for (const kept of this.#kept.values()) bytes += kept.bytes
    for (const oldest of this.#kept.values()) {
      if (this.#kept.size === 1 || (this.#kept.size <= MAX_KEPT && bytes <= mostBytes)) break
      this.#kept.delete(nameOf(oldest.position))
      bytes -= oldest.bytes
      void this.#drop(oldest)
    }
    return graph
  }

  /** Counts one user less. */
  async leave(graph: PastGraph): Promise<void> {
    graph.users -= 1
    if (this.#kept.get(nameOf(graph.position)) !== graph) await this.#drop(graph)
  }

  /** Drops every graph without users. Returns whether there were any. */
  async dropUnused(): Promise<boolean> {
    const unused = [...this.#kept.values()].filter(({ users }) => users === 0)
    for (const { position } of unused) this.#kept.delete(nameOf(position))
    await Promise.all(unused.map((graph) => this.#drop(graph)))
    return unused.length > 0
  }

  /** A graph with users is dropped when the last of them has its answer. */
  async #drop({ key, users, generation }: PastGraph): Promise<void> {
    if (users === 0 && generation === this.#helper.generation) await this.#helper.forget(key)
  }
}

function nameOf({ lineage, revision }: Pick<Position, 'lineage' | 'revision'>): string {
  return `${lineage} ${revision}`
}
