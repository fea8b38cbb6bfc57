import { isJsonObject, type JsonObject } from '../../records/canonical-json.ts'
import { placedLabel, serviceNodeId } from '../../records/graph/graph-id.ts'
import { namespaceIn } from '../../records/service/namespace.ts'
import type { Warning } from '../../records/warning.ts'
import { findPath } from '../analysis/find-path.ts'
import { deriveService } from '../derive/derive.ts'
import { neededNamespace } from '../derive/needed-namespace.ts'
import { targetNeedsSource } from '../model/edge-types.ts'
import type { GraphReader } from '../model/graph-reader.ts'
import { itemsOf, textOf } from '../model/lenient-json.ts'
import { nameFromId } from '../model/node-name.ts'
import { elsewhere, inNamespace } from '../model/resolve-node.ts'

/**
 * Warnings about a registration: dependencies on names that are not registered, and a cycle of services that need each
 * other. The graph may hold the registration already or not yet.
 *
 * @param data the fields of the registration, as they are stored
 */
export function registerWarnings(graph: GraphReader, data: JsonObject): readonly Warning[] {
  return [...unknownDependencies(graph, data), ...cycleWarnings(graph, data)]
}

function* unknownDependencies(graph: GraphReader, data: JsonObject): Generator<Warning> {
  const own = namespaceIn(data)
  for (const [index, dependency] of itemsOf(data['dependencies']).entries()) {
    const details = isJsonObject(dependency) ? dependency : undefined
    const name = details === undefined ? textOf(dependency) : textOf(details['serviceName'])
    const namespace = neededNamespace(details, own)
    if (name === undefined || namespace === undefined) continue
    if (name === data['serviceName'] && namespace === own) continue
    if (graph.isResolved(graph.find(serviceNodeId(name, namespace)))) continue
    yield {
      code: 'unknown_dependency',
      message: `No service is registered as ${JSON.stringify(name)}${inNamespace(namespace, own)}: check the name, or register it.${otherwise(graph, name)}`,
      path: `/dependencies/${index}`,
    }
  }
}

/** How to depend on a service of the same name in another namespace, after another sentence; empty if there is none. */
function otherwise(graph: GraphReader, serviceName: string): string {
  const id = serviceNodeId(serviceName)
  const [namespace] = graph.namespacesOf(id)
  if (namespace === undefined) return ''
  return `${elsewhere(graph, id)} To depend on it, write ${JSON.stringify({ serviceName, namespace })}.`
}

function* cycleWarnings(graph: GraphReader, data: JsonObject): Generator<Warning> {
  const needed = new Set<string>()
  const id = deriveService(data, (type, target) => {
    if (!targetNeedsSource(type)) needed.add(target)
  })
  if (needed.delete(id)) yield cycleWarning([id])
  const to = graph.find(id)
  if (to === -1) return
  const from = [...needed].map((target) => graph.find(target)).filter((node) => node !== -1)
  if (from.length === 0) return
  const path = findPath(graph, { from, to })
  if (path.outcome === 'found') yield cycleWarning([id, ...path.nodes.slice(0, -1)])
  if (path.outcome === 'unknown')
    yield {
      code: 'cycle_check_incomplete',
      message:
        'The check for a dependency cycle was stopped, because too much depends on this service. Ask `GET /knowledge-graph/cycles`.',
      path: '/dependencies',
    }
}

function cycleWarning(nodes: readonly string[]): Warning {
  return { code: 'dependency_cycle', message: cycleMessage(nodes), path: '/dependencies' }
}

/** Says in words which nodes need each other: each needs the next one, and the last needs the first. */
export function cycleMessage(nodes: readonly string[]): string {
  const names = [...nodes, nodes[0] as string].map((id) => placedLabel(nameFromId(id)))
  const shown = names.length <= 12 ? names : [...names.slice(0, 8), '...', ...names.slice(-3)]
  return `These need each other, so none of them can start first: ${shown.join(' -> ')}.`
}
