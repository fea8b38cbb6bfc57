import type { Entry, Revision, StoredRecord } from '../../records/record.ts'
import { Describer, type EdgeJson, type NodeJson } from '../model/describe.ts'
import type { DetachedGraph } from '../model/detached-graph.ts'
import type { GraphProjection } from '../model/graph-projection.ts'
import { isServed } from '../model/is-served.ts'
import { type RecordStatements, statementsOf } from '../model/statements-of.ts'
import { COMPLETE, type Completeness, cutBy } from '../questions/answer.ts'

/** A commit that had a part in a difference. */
export interface DiffCommit {
  readonly revision: Revision
  /** ISO 8601, UTC. */
  readonly at: string
  readonly actor: string
  readonly commitId: string
}

/** Something that is different at the end. `revisions`: the commits that did it, oldest first; at most the last twenty. */
export interface Difference<T> {
  readonly change: 'added' | 'removed' | 'changed'
  readonly id: string
  readonly before?: T
  readonly after?: T
  readonly revisions: readonly Revision[]
}

export interface DiffAnswer extends Completeness {
  /** By id. */
  readonly nodes: readonly Difference<NodeJson>[]
  readonly edges: readonly Difference<EdgeJson>[]
  readonly nodesTotal: number
  readonly edgesTotal: number
  /** Every commit that `revisions` name, oldest first; at most 10,000. */
  readonly commits: readonly DiffCommit[]
}

const MAX_REVISIONS = 20
const MAX_LISTED_COMMITS = 10_000

/** A node or an edge that some commit spoke of. */
interface Touched<T> {
  readonly before: T | undefined
  present: boolean
  revisions: Revision[]
}

/** What a commit makes of one record. Each is absent where the record is not there. */
interface RecordChange {
  readonly before: StoredRecord | undefined
  readonly after: StoredRecord | undefined
}

/**
 * Plays the journal on a graph of the past, and notes for each node and edge which commits said something new about it.
 * What is different at the end is then told with its cause. Only what was spoken of is ever looked at.
 */
export class DiffTracker {
  readonly #past: DetachedGraph
  readonly #graph: GraphProjection
  readonly #nodes = new Map<string, Touched<NodeJson>>()
  readonly #edges = new Map<string, Touched<EdgeJson>>()
  readonly #commits = new Map<Revision, DiffCommit>()

  /** @param past is changed from now on */
  constructor(past: DetachedGraph) {
    this.#past = past
    this.#graph = past.graph
  }

  play(entry: Entry): void {
    const { revision, at, actor, commitId } = entry
    const changes = this.#changesOf(entry)
    if (changes.length === 0) return
    const spoken = changes.map(({ before, after }) => [statementsOf(before), statementsOf(after)] as const)
    this.#remember(spoken.flat())
    for (const { before, after } of changes)
      if (after !== undefined) this.#past.put(after)
      else if (before !== undefined) this.#past.remove(before)
    this.#commits.set(revision, { revision, at: new Date(at).toISOString(), actor, commitId })
    for (const [before, after] of spoken) {
      for (const id of idsIn(before.nodes, after.nodes))
        note(this.#nodes.get(id), {
          revision,
          present: this.#graph.find(id) !== -1,
          news: (before.nodes.get(id) ?? '') !== (after.nodes.get(id) ?? ''),
        })
      for (const id of idsIn(before.edges, after.edges))
        note(this.#edges.get(id), {
          revision,
          present: this.#graph.findEdge(id) !== -1,
          news: before.edges.get(id) !== after.edges.get(id),
        })
    }
  }

  answer(limit: number): DiffAnswer {
    const describer = new Describer(this.#graph)
    const nodes = differencesOf(this.#nodes, (id) => {
      const node = this.#graph.find(id)
      return node === -1 ? undefined : describer.node(node)
    })
    const edges = differencesOf(this.#edges, (id) => {
      const edge = this.#graph.findEdge(id)
      return edge === -1 ? undefined : describer.edge(edge)
    })
    const listed = { nodes: nodes.slice(0, limit), edges: edges.slice(0, limit) }
    const named = new Set([...listed.nodes, ...listed.edges].flatMap(({ revisions }) => revisions))
    const commits = [...named].sort((left, right) => left - right).slice(0, MAX_LISTED_COMMITS)
    const complete = nodes.length <= limit && edges.length <= limit && commits.length === named.size
    return {
      ...listed,
      nodesTotal: nodes.length,
      edgesTotal: edges.length,
      commits: commits.flatMap((revision) => this.#commits.get(revision) ?? []),
      ...(complete ? COMPLETE : cutBy('limit')),
    }
  }

  #changesOf({ writes, revision, at }: Entry): readonly RecordChange[] {
    const changes = writes.map((write) => {
      const before = this.#past.get(write.kind, write.id)
      const after: StoredRecord | undefined =
        write.op === 'delete' || !isServed(write)
          ? undefined
          : { ...write, revision, createdAt: before?.createdAt ?? at, updatedAt: at }
      return { before, after }
    })
    return changes.filter(({ before, after }) => before !== undefined || after !== undefined)
  }

  /** Keeps what is spoken of for the first time as it is now, before the commit. */
  #remember(spoken: readonly RecordStatements[]): void {
    const describer = new Describer(this.#graph)
    for (const { nodes, edges } of spoken) {
      for (const id of nodes.keys())
        if (!this.#nodes.has(id)) this.#nodes.set(id, this.#nodeNow(id, describer))
      for (const id of edges.keys())
        if (!this.#edges.has(id)) this.#edges.set(id, this.#edgeNow(id, describer))
    }
  }

  #nodeNow(id: string, describer: Describer): Touched<NodeJson> {
    const node = this.#graph.find(id)
    const before = node === -1 ? undefined : describer.node(node)
    return { before, present: before !== undefined, revisions: [] }
  }

  #edgeNow(id: string, describer: Describer): Touched<EdgeJson> {
    const edge = this.#graph.findEdge(id)
    const before = edge === -1 ? undefined : describer.edge(edge)
    return { before, present: before !== undefined, revisions: [] }
  }
}

function idsIn(one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): ReadonlySet<string> {
  return new Set([...one.keys(), ...other.keys()])
}

/** @param news whether a record says something else about it than before */
function note(
  touched: Touched<unknown> | undefined,
  {
    revision,
    present,
    news,
  }: { readonly revision: Revision; readonly present: boolean; readonly news: boolean },
): void {
  if (touched === undefined) return
  const { revisions } = touched
  // The commit that brought or took something is what counts, and not those before it.
  if (touched.present !== present) touched.revisions = [revision]
  else if (news && revisions.at(-1) !== revision) {
    revisions.push(revision)
    if (revisions.length > MAX_REVISIONS) revisions.shift()
  }
  touched.present = present
}

function differencesOf<T>(
  touched: ReadonlyMap<string, Touched<T>>,
  now: (id: string) => T | undefined,
): readonly Difference<T>[] {
  const found: Difference<T>[] = []
  for (const [id, { before, revisions }] of touched) {
    const after = now(id)
    if (before === undefined && after === undefined) continue
    if (before !== undefined && after !== undefined && facts(before) === facts(after)) continue
    const change = before === undefined ? 'added' : after === undefined ? 'removed' : 'changed'
    found.push({
      change,
      id,
      ...(before === undefined ? {} : { before }),
      ...(after === undefined ? {} : { after }),
      revisions,
    })
  }
  return found.sort((left, right) => (left.id < right.id ? -1 : 1))
}

/** What counts as a change: everything that is shown, but not that a commit said the same again. */
function facts(shown: unknown): string {
  return JSON.stringify(shown, (key, value) => (key === 'revision' ? undefined : value))
}
