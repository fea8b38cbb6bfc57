import { namespaceOfNodeId } from '../../records/graph/graph-id.ts'
import type { Entry, Revision, StoredRecord } from '../../records/record.ts'
import { type Contributions, contributionsOf } from '../derive/contributions.ts'
import { Describer, type EdgeJson, type NodeJson } from '../derive/describe.ts'
import type { DetachedGraph } from '../derive/detached-graph.ts'
import { NamespacePart } from '../model/namespace-part.ts'
import { COMPLETE, type Completeness, cutBy } from '../questions/answer.ts'
import { isGraphRecord } from './is-graph-record.ts'
import { type Difference, TouchedItems } from './touched.ts'

/** A commit that contributed to a difference. */
interface DiffCommit {
  readonly revision: Revision
  /** ISO 8601, UTC. */
  readonly at: string
  readonly actor: string
  /** Present if credentials were not demanded yet: the actor is only what the client said. */
  readonly unproven?: true
  readonly commitId: string
}

export interface DiffAnswer extends Completeness {
  /** Sorted by id. */
  readonly nodes: readonly Difference<NodeJson>[]
  readonly edges: readonly Difference<EdgeJson>[]
  readonly nodesTotal: number
  readonly edgesTotal: number
  /** All commits in `revisions`, oldest first; at most 10,000. */
  readonly commits: readonly DiffCommit[]
}

/** Which differences an answer lists. */
export interface DiffOptions {
  /** How many nodes and how many edges. */
  readonly limit: number
  /** Only nodes of this namespace, and the far ends of their edges. @default every node */
  readonly namespace?: string | undefined
}

const MAX_LISTED_COMMITS = 10_000

/** One record before and after a commit. Each is absent if the record does not exist then. */
interface RecordChange {
  readonly before: StoredRecord | undefined
  readonly after: StoredRecord | undefined
}

/**
 * Applies the journal to a graph of the past, and notes for each node and edge which commits changed what is said about it. The answer
 * lists the differences at the end, each with its cause. Only nodes and edges that commits refer to are looked at.
 */
export class DiffTracker {
  readonly #past: DetachedGraph
  /** Caches what it has read until the graph changes. */
  #describer: Describer
  readonly #nodes = new TouchedItems((id) => {
    const node = this.#past.graph.find(id)
    return node === -1 ? undefined : this.#describer.node(node)
  })
  readonly #edges = new TouchedItems((id) => {
    const edge = this.#past.graph.findEdgeById(id)
    return edge === -1 ? undefined : this.#describer.edge(edge)
  })
  readonly #commits = new Map<Revision, DiffCommit>()

  /** @param past is changed from now on */
  constructor(past: DetachedGraph) {
    this.#past = past
    this.#describer = new Describer(past.graph)
  }

  play(entry: Entry): void {
    const { revision, at, actor, commitId } = entry
    const changes = this.#changesOf(entry)
    if (changes.length === 0) return
    const mentioned = changes.map(
      ({ before, after }) => [contributionsOf(before), contributionsOf(after)] as const,
    )
    for (const { nodes, edges } of mentioned.flat()) {
      this.#nodes.remember(nodes.keys())
      this.#edges.remember(edges.keys())
    }
    for (const { before, after } of changes)
      if (after !== undefined) this.#past.put(after)
      else if (before !== undefined) this.#past.remove(before)
    this.#describer = new Describer(this.#past.graph)
    this.#commits.set(revision, { revision, at: new Date(at).toISOString(), actor, commitId })
    const { graph } = this.#past
    for (const [before, after] of mentioned) {
      for (const id of idsIn(before.nodes, after.nodes)) {
        // If a node is only the end of an edge, its text is empty.
        const news = (before.nodes.get(id) ?? '') !== (after.nodes.get(id) ?? '')
        this.#nodes.note(id, { revision, present: graph.find(id) !== -1, news })
      }
      for (const id of idsIn(before.edges, after.edges)) {
        const news = before.edges.get(id) !== after.edges.get(id)
        this.#edges.note(id, { revision, present: graph.findEdgeById(id) !== -1, news })
      }
    }
  }

  answer({ limit, namespace }: DiffOptions): DiffAnswer {
    const { nodes, edges } = this.#differences(namespace)
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

  /** With a namespace: its nodes, their edges, and the far ends of edges that they have now or had before. */
  #differences(namespace: string | undefined) {
    const [nodes, edges] = [this.#nodes.differences(), this.#edges.differences()]
    if (namespace === undefined) return { nodes, edges }
    const { graph } = this.#past
    const part = new NamespacePart(graph, namespace)
    const shown = new Set<string>()
    const own = edges.filter(({ before, after }) => {
      const { source, target } = (before ?? after) as EdgeJson
      if (![source, target].some((id) => namespaceOfNodeId(id) === namespace)) return false
      shown.add(source).add(target)
      return true
    })
    const isShown = (id: string) => {
      const node = graph.find(id)
      return node === -1 ? namespaceOfNodeId(id) === namespace : part.shows(node)
    }
    return { nodes: nodes.filter(({ id }) => shown.has(id) || isShown(id)), edges: own }
  }

  #changesOf({ writes, revision, at }: Entry): readonly RecordChange[] {
    const changes = writes.map((write) => {
      const before = this.#past.records.get(write.kind, write.id)
      const after: StoredRecord | undefined =
        write.op === 'delete' || !isGraphRecord(write)
          ? undefined
          : { ...write, revision, createdAt: before?.createdAt ?? at, updatedAt: at }
      return { before, after }
    })
    return changes.filter(({ before, after }) => before !== undefined || after !== undefined)
  }
}

function idsIn(one: Contributions['nodes'], other: Contributions['nodes']): ReadonlySet<string> {
  return new Set([...one.keys(), ...other.keys()])
}
