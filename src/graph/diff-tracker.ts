import type { JsonObject } from '../records/canonical-json.ts'
import type { EdgeData, NodeData } from '../records/graph.ts'
import { edgeId } from '../records/graph-id.ts'
import type { Entry, Revision, StoredRecord } from '../records/record.ts'
import { deriveService } from './derive.ts'
import { Describer, type EdgeJson, type NodeJson } from './describe.ts'
import type { DetachedGraph } from './detached-graph.ts'
import type { GraphProjection } from './graph-projection.ts'
import { COMPLETE, type Completeness, cutBy } from './questions/answer.ts'

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
  /** Every commit that `revisions` name. */
  readonly commits: readonly DiffCommit[]
}

const MAX_REVISIONS = 20
const MAX_LISTED_COMMITS = 10_000

/** A node or an edge that some commit touched. */
interface Touched<T> {
  readonly before: T | undefined
  present: boolean
  revisions: Revision[]
}

/**
 * Plays the journal on a graph of the past, and notes for each node and edge which commits touched it. What is different at
 * the end is then told with its cause. Only what was touched is ever looked at.
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
    const changes = entry.writes.map((write) => {
      const before = this.#past.get(write.kind, write.id)
      const after: StoredRecord | undefined =
        write.op === 'delete'
          ? undefined
          : {
              ...write,
              revision: entry.revision,
              createdAt: before?.createdAt ?? entry.at,
              updatedAt: entry.at,
            }
      return { before, after }
    })
    const relevant = changes.filter(({ before, after }) => isGraphKind(before ?? after))
    for (const { before, after } of relevant) this.#touch([before, after], entry.revision)
    for (const { before, after } of relevant)
      if (after !== undefined) this.#past.put(after)
      else if (before !== undefined) this.#past.remove(before)
    if (relevant.length === 0) return
    const { revision, at, actor, commitId } = entry
    this.#commits.set(revision, { revision, at: new Date(at).toISOString(), actor, commitId })
    for (const [touched, present] of this.#touchedBy(relevant)) {
      // The commit that brought or took something is what counts, and not those before it.
      if (touched.present !== present) touched.revisions = [revision]
      touched.present = present
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
    return {
      ...listed,
      nodesTotal: nodes.length,
      edgesTotal: edges.length,
      commits: commits.flatMap((revision) => this.#commits.get(revision) ?? []),
      ...(nodes.length > limit || edges.length > limit ? cutBy('limit') : COMPLETE),
    }
  }

  /** Notes what the versions of a record speak of, as it is before the commit. */
  #touch(records: readonly (StoredRecord | undefined)[], revision: Revision): void {
    const describer = new Describer(this.#graph)
    const { nodes, edges } = spokenOf(records)
    for (const id of nodes) {
      const touched = this.#nodes.get(id) ?? this.#firstNode(id, describer)
      note(touched, revision)
    }
    for (const id of edges) {
      const touched = this.#edges.get(id) ?? this.#firstEdge(id, describer)
      note(touched, revision)
    }
  }

  #firstNode(id: string, describer: Describer): Touched<NodeJson> {
    const node = this.#graph.find(id)
    const before = node === -1 ? undefined : describer.node(node)
    const touched = { before, present: before !== undefined, revisions: [] }
    this.#nodes.set(id, touched)
    return touched
  }

  #firstEdge(id: string, describer: Describer): Touched<EdgeJson> {
    const edge = this.#graph.findEdge(id)
    const before = edge === -1 ? undefined : describer.edge(edge)
    const touched = { before, present: before !== undefined, revisions: [] }
    this.#edges.set(id, touched)
    return touched
  }

  *#touchedBy(
    changes: readonly { before: StoredRecord | undefined; after: StoredRecord | undefined }[],
  ): Generator<[Touched<unknown>, boolean]> {
    const { nodes, edges } = spokenOf(changes.flatMap(({ before, after }) => [before, after]))
    for (const id of nodes) {
      const touched = this.#nodes.get(id)
      if (touched !== undefined) yield [touched, this.#graph.find(id) !== -1]
    }
    for (const id of edges) {
      const touched = this.#edges.get(id)
      if (touched !== undefined) yield [touched, this.#graph.findEdge(id) !== -1]
    }
  }
}

function isGraphKind(record: StoredRecord | undefined): boolean {
  return (
    record !== undefined && (record.kind === 'service' || record.kind === 'node' || record.kind === 'edge')
  )
}

function note(touched: Touched<unknown>, revision: Revision): void {
  if (touched.revisions.at(-1) === revision) return
  touched.revisions.push(revision)
  if (touched.revisions.length > MAX_REVISIONS) touched.revisions.shift()
}

function spokenOf(records: readonly (StoredRecord | undefined)[]): {
  nodes: ReadonlySet<string>
  edges: ReadonlySet<string>
} {
  const nodes = new Set<string>()
  const edges = new Set<string>()
  for (const record of records) {
    if (record === undefined) continue
    const data = JSON.parse(record.data) as JsonObject
    if (record.kind === 'node') nodes.add((data as unknown as NodeData).id)
    else if (record.kind === 'edge') {
      const edge = data as unknown as EdgeData
      edges.add(edgeId(edge))
      nodes.add(edge.source).add(edge.target)
    } else {
      const relations: [string, string][] = []
      const source = deriveService(data, (type, target) => relations.push([type, target]))
      nodes.add(source)
      for (const [type, target] of relations) {
        nodes.add(target)
        edges.add(edgeId({ source, type, target, origin: 'declared' }))
      }
    }
  }
  return { nodes, edges }
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
