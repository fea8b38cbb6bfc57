import type { View } from '../../live/view/view.ts'
import type { JsonObject } from '../../records/canonical-json.ts'
import type { Revision, StoredRecord } from '../../records/record.ts'
import { SERVICE_KIND } from '../../records/service/service.ts'
import type { Warning } from '../../records/warning.ts'
import { type GraphProjection, graphProjection } from '../derive/graph-projection.ts'
import { dataOf } from '../model/lenient-json.ts'
import { registerWarnings } from './register-warnings.ts'

/** With this many answers, all of them are dropped. A graph that needs so many is large, and changes all the time. */
const KEPT_MAX = 20_000

interface Memory {
  shape: number
  /** The answers, by the number of the service's node. */
  readonly answers: Map<number, Answer>
}

interface Answer {
  /** The edges that the service contributed. */
  readonly edges: Int32Array
  readonly warnings: readonly Warning[]
}

const memories = new WeakMap<GraphProjection, Memory>()

/**
 * Warnings about a registration in the graph of a view. For a stored service they are cached as long as the graph keeps its shape. Most
 * registrations do not change the shape: another instance of a service has the same dependencies as the first one, and a restarted service
 * has its own.
 *
 * @param data the fields of the registration: those that are stored, perhaps without the migration file
 * @param registered the answer to it; absent for a registration that is not stored
 */
export function graphWarnings(
  view: View,
  data: JsonObject,
  registered?: { readonly serviceId: string; readonly revision: Revision },
): readonly Warning[] {
  const graph = view.projection(graphProjection)
  if (registered === undefined) return registerWarnings(graph, data)
  const { serviceId, revision } = registered
  const slot = view.records.find(SERVICE_KIND, serviceId)
  const record = view.records.at(slot)
  // Another client may have registered the service again. The graph then contains that registration, and not this one.
  if (record?.revision !== revision) return registerWarnings(graph, data)
  const { answers } = memoryOf(graph)
  const node = graph.nodeDefinedBy(slot)
  const edges = graph.edgesContributedBy(slot)
  const known = answers.get(node)
  if (known !== undefined && areSame(known.edges, edges)) return known.warnings
  const warnings = registerWarnings(graph, complete(data, record))
  // These warnings contain indexes of the list of dependencies, which may have another order the next time.
  if (warnings.some(({ code }) => code === 'unknown_dependency')) return warnings
  if (answers.size >= KEPT_MAX) answers.clear()
  answers.set(node, { edges: edges.slice(), warnings })
  return warnings
}

/** The edges of a stored migration file are among those by which the answer is remembered. */
function complete(data: JsonObject, stored: StoredRecord): JsonObject {
  if (data['migrationFile'] !== undefined || !stored.data.includes('"migrationFile":')) return data
  return dataOf(stored)
}

function areSame(left: Int32Array, right: Int32Array): boolean {
  if (left.length !== right.length) return false
  for (let at = 0; at < left.length; at += 1) if (left[at] !== right[at]) return false
  return true
}

function memoryOf(graph: GraphProjection): Memory {
  let memory = memories.get(graph)
  if (memory === undefined || memory.shape !== graph.shape) {
    memory = { shape: graph.shape, answers: new Map() }
    memories.set(graph, memory)
  }
  return memory
}
