import { deriveService } from '../../../src/graph/derive/derive.ts'
import type { GraphReader } from '../../../src/graph/model/graph-reader.ts'
import type { JsonObject } from '../../../src/records/canonical-json.ts'
import type { EdgeData, NodeData } from '../../../src/records/graph/graph.ts'
import { edgeId } from '../../../src/records/graph/graph-id.ts'
import type { StoredRecord } from '../../../src/records/record.ts'

const REVERSED = new Set(['exposes', 'publishes', 'provides', 'owns'])

export interface PlainEdge {
  readonly source: string
  readonly type: string
  readonly target: string
  readonly origin: string
  /** The node that needs, and the one that is needed. */
  readonly from: string
  readonly to: string
  revision: number
  refs: number
}

interface PlainNode {
  resolved: boolean
  provided: boolean
}

/** The graph as maps of objects, derived from scratch in the most obvious way: what every answer is compared with. */
export interface PlainGraph {
  /** `provided`: by services, whatever is asserted beside them. */
  readonly nodes: Map<string, PlainNode>
  readonly edges: Map<string, PlainEdge>
}

export function plainGraph(records: Iterable<StoredRecord>): PlainGraph {
  const graph: PlainGraph = { nodes: new Map(), edges: new Map() }
  for (const record of records) {
    const data = JSON.parse(record.data) as JsonObject
    if (record.kind === 'service') {
      const targets: [string, string][] = []
      const id = deriveService(data, (type, target) => targets.push([type, target]))
      provide(node(graph, id))
      const said = new Set<string>()
      for (const [type, target] of targets) {
        if (said.has(`${type} ${target}`)) continue
        said.add(`${type} ${target}`)
        edge(graph, { source: id, type, target, origin: 'declared' }, record.revision)
      }
    } else if (record.kind === 'node') node(graph, (data as unknown as NodeData).id).resolved = true
    else edge(graph, data as unknown as EdgeData, record.revision)
  }
  return graph
}

function provide(node: PlainNode): void {
  node.resolved = true
  node.provided = true
}

function node(graph: PlainGraph, id: string): PlainNode {
  const known = graph.nodes.get(id) ?? { resolved: false, provided: false }
  graph.nodes.set(id, known)
  return known
}

function edge(
  graph: PlainGraph,
  { source, type, target, origin }: Pick<PlainEdge, 'source' | 'type' | 'target' | 'origin'>,
  revision: number,
): void {
  node(graph, source)
  const targetNode = node(graph, target)
  if (REVERSED.has(type) && origin === 'declared') provide(targetNode)
  const [from, to] = REVERSED.has(type) ? [target, source] : [source, target]
  const id = edgeId({ source, type, target, origin: origin as 'declared' })
  const known = graph.edges.get(id)
  if (known === undefined) graph.edges.set(id, { source, type, target, origin, from, to, revision, refs: 1 })
  else {
    known.refs += 1
    known.revision = Math.min(known.revision, revision)
  }
}

/** Everything a graph says, in a form that can be compared. */
export function shapeOf(graph: GraphReader) {
  const nodes = []
  for (let number = 0; number < graph.nodeBound; number += 1) {
    const id = graph.idOf(number)
    if (id !== '') nodes.push(`${id} ${graph.isResolved(number) ? 'resolved' : 'unresolved'}`)
  }
  const edges = []
  const { bound, refs, revision } = graph.edges
  for (let number = 0; number < bound; number += 1) {
    if (refs[number] === 0) continue
    const [source, target] = [graph.idOf(graph.sourceOf(number)), graph.idOf(graph.targetOf(number))]
    const id = edgeId({ source, type: graph.typeOf(number), target, origin: graph.originOf(number) })
    edges.push(`${id} x${refs[number]} @${revision[number]}`)
  }
  return {
    nodes: nodes.sort(),
    edges: edges.sort(),
    counts: [graph.nodeCount, graph.edges.count, graph.unresolvedCount],
  }
}

export function shapeOfPlain(graph: PlainGraph): ReturnType<typeof shapeOf> {
  const nodes = [...graph.nodes].map(([id, { resolved }]) => `${id} ${resolved ? 'resolved' : 'unresolved'}`)
  const edges = [...graph.edges].map(([id, { refs, revision }]) => `${id} x${refs} @${revision}`)
  const unresolved = [...graph.nodes.values()].filter(({ resolved }) => !resolved).length
  return { nodes: nodes.sort(), edges: edges.sort(), counts: [nodes.length, edges.length, unresolved] }
}

/** Both sides of adjacency, checked against the columns: a wrong position would corrupt a later removal. */
export function adjacencyOf(graph: GraphReader): readonly string[] {
  const lines: string[] = []
  for (const side of ['out', 'in'] as const) {
    const { start, length, items } = graph[side]
    for (let number = 0; number < graph.nodeBound; number += 1)
      for (let at = 0; at < (length[number] ?? 0); at += 1) {
        const found = items[(start[number] as number) + at] as number
        lines.push(
          `${side} ${graph.idOf(number)} ${graph.idOf(graph.edges.from[found] as number)} ${graph.idOf(graph.edges.to[found] as number)} ${graph.typeOf(found)} ${graph.originOf(found)}`,
        )
      }
  }
  return lines.sort()
}

export function adjacencyOfPlain(graph: PlainGraph): readonly string[] {
  return [...graph.edges.values()]
    .flatMap(({ from, to, type, origin }) => [
      `out ${from} ${from} ${to} ${type} ${origin}`,
      `in ${to} ${from} ${to} ${type} ${origin}`,
    ])
    .sort()
}
