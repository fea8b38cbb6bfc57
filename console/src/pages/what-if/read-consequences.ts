import { api } from '../../api/client.ts'
import type { Simulation } from '../../api/types.ts'
import type { DrawnEdge, DrawnGraph, DrawnNode } from '../../drawing/model/drawn-graph.ts'
import type { Sign } from '../../drawing/model/marks.ts'
import { distancesFrom, neighboursOf } from '../../drawing/model/neighbours.ts'
import { type ReadGraph, readGraph } from '../graph/data/read-graph.ts'
import { edgesAlong } from '../graph/views/edges-along.ts'
import { bodyOf, type ChangeWish, idOf, type SimulationBody } from './change-wish.ts'

export interface Consequences {
  readonly body: SimulationBody
  readonly answer: Simulation
  readonly read: ReadGraph
  /** The changed services: the drawing begins there. */
  readonly changed: readonly string[]
  readonly signs: ReadonlyMap<string, Sign>
  /** Nodes and edges of new cycles. */
  readonly strong: ReadonlySet<string>
  /** Who needs a changed service directly, by label. */
  readonly direct: readonly string[]
}

/** Asks what a change would break, and reads the part of the graph that it concerns. Nothing is stored. */
export async function readConsequences(wish: ChangeWish, signal: AbortSignal): Promise<Consequences> {
  const body = bodyOf(wish)
  const added = addedPart(body.register ?? [])
  const removed = wish.remove.map(idOf)
  const changed = [
    ...new Set([...removed, ...wish.changeVersion.map(idOf), ...added.nodes.map(({ id }) => id)]),
  ]
  const [answer, read] = await Promise.all([
    api.post<Simulation>('/knowledge-graph/simulate', { body, signal }),
    readGraph(
      { asOf: undefined, namespace: undefined },
      { centres: [...removed, ...wish.changeVersion.map(idOf)], follow: 'neededBy', depth: 1_000 },
      signal,
    ),
  ])
  const graph = withAdded(read.graph, added)
  const neededBy = neighboursOf(graph, 'neededBy')
  const signs = new Map<string, Sign>()
  for (const id of distancesFrom(
    answer.lostProviders.map(({ id }) => id),
    neededBy,
  ).keys())
    signs.set(id, 'affected')
  for (const { consumer } of [...answer.violatedRanges, ...answer.unknownDependencies])
    signs.set(consumer, 'broken')
  for (const { id } of answer.brokenConsumers) signs.set(id, 'broken')
  for (const id of wish.changeVersion.map(idOf)) if (!signs.has(id)) signs.set(id, 'changed')
  for (const { id } of added.nodes)
    if (!signs.has(id)) signs.set(id, read.graph.nodes.some((node) => node.id === id) ? 'changed' : 'added')
  for (const { id } of answer.lostProviders) signs.set(id, 'lost')
  for (const { id } of added.edges)
    if (!read.graph.edges.some((edge) => edge.id === id)) signs.set(id, 'added')
  const labels = new Map(graph.nodes.map(({ id, label }) => [id, label]))
  const direct = new Set(
    [...removed, ...wish.changeVersion.map(idOf)].flatMap((id) => [...(neededBy.get(id) ?? [])]),
  )
  return {
    body,
    answer,
    read: { ...read, graph },
    changed,
    signs,
    strong: new Set(answer.newCycles.flatMap((cycle) => [...cycle, ...edgesAlong(graph, cycle, 'round')])),
    direct: [...direct].map((id) => labels.get(id) ?? id).sort(),
  }
}

/** The services of pasted registrations, and the edges to what they need, as far as the drawing wants them. */
function addedPart(registrations: readonly unknown[]): DrawnGraph {
  const nodes = new Map<string, DrawnNode>()
  const edges: DrawnEdge[] = []
  for (const given of registrations) {
    const service = namedIn(given)
    if (service === undefined) continue
    const id = idOf(service)
    nodes.set(id, nodeOf(service, textIn(given, 'version')))
    const dependencies = (given as { dependencies?: unknown }).dependencies
    for (const dependency of Array.isArray(dependencies) ? dependencies : []) {
      const needed =
        typeof dependency === 'string'
          ? { ...service, serviceName: dependency }
          : namedIn(dependency, service.namespace)
      if (needed === undefined) continue
      const target = idOf(needed)
      const type = 'depends_on'
      edges.push({ id: `${id},${type},${target},declared`, source: id, target, type, origin: 'declared' })
    }
  }
  return { nodes: [...nodes.values()], edges }
}

function withAdded(graph: DrawnGraph, added: DrawnGraph): DrawnGraph {
  const nodes = new Map(graph.nodes.map((node) => [node.id, node]))
  for (const node of added.nodes) if (!nodes.has(node.id)) nodes.set(node.id, node)
  for (const { target } of added.edges)
    if (!nodes.has(target)) {
      const [, , label = target] = /^service:(@[^:]*:)?(.*)$/.exec(target) ?? []
      nodes.set(target, { ...nodeOf({ serviceName: label }, undefined), id: target, unresolved: true })
    }
  const edges = new Map([...graph.edges, ...added.edges].map((edge) => [edge.id, edge]))
  return { nodes: [...nodes.values()], edges: [...edges.values()] }
}

function nodeOf(
  service: { serviceName: string; namespace?: string },
  version: string | undefined,
): DrawnNode {
  return {
    id: idOf(service),
    label: service.serviceName,
    type: 'service',
    namespace: service.namespace ?? 'default',
    unresolved: false,
    versions: version === undefined ? [] : [version],
    instances: 1,
    tags: [],
  }
}

function namedIn(given: unknown, fallback?: string) {
  const serviceName = textIn(given, 'serviceName')
  const namespace = textIn(given, 'namespace') ?? fallback
  if (serviceName === undefined) return undefined
  return namespace === undefined ? { serviceName } : { serviceName, namespace }
}

function textIn(given: unknown, name: string): string | undefined {
  const value =
    typeof given === 'object' && given !== null ? (given as Record<string, unknown>)[name] : undefined
  return typeof value === 'string' ? value : undefined
}
