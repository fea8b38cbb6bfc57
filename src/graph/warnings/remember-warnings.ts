import type { JsonObject } from '../../records/canonical-json.ts'
import type { StoredRecord } from '../../records/record.ts'
import type { Warning } from '../../records/warning.ts'
import type { GraphProjection } from '../model/graph-projection.ts'
import { registerWarnings } from './register-warnings.ts'

/** More answers than this are not kept: a graph that large changes all the time. */
const KEPT_MAX = 20_000

interface Memory {
  shape: number
  /** By the node of the service. */
  readonly answers: Map<number, Answer>
}

interface Answer {
  /** The edges that the service stated. */
  readonly edges: Int32Array
  readonly warnings: readonly Warning[]
}

const memories = new WeakMap<GraphProjection, Memory>()

/**
 * `registerWarnings` of a service that is in the graph, asked once as long as the graph keeps its shape. Most registrations
 * change nothing in it: another instance of a service has the dependencies of the first one, and a restarted service has its
 * own.
 *
 * @param service where it is, and what is stored of it
 * @param data the fields with which it was registered: those that are stored, perhaps without its migration file
 */
export function rememberWarnings(
  graph: GraphProjection,
  { slot, record }: { readonly slot: number; readonly record: StoredRecord },
  data: JsonObject,
): readonly Warning[] {
  const { answers } = memoryOf(graph)
  const node = graph.subjectOf(slot)
  const edges = graph.statedBy(slot)
  const known = answers.get(node)
  if (known !== undefined && areSame(known.edges, edges)) return known.warnings
  const warnings = registerWarnings(graph, complete(data, record))
  // These name places in the list of dependencies, which may be in another order the next time.
  if (warnings.some(({ code }) => code === 'unknown_dependency')) return warnings
  if (answers.size >= KEPT_MAX) answers.clear()
  answers.set(node, { edges: edges.slice(), warnings })
  return warnings
}

/** The edges of a migration file that was stored before are among those that the answer is remembered by. */
function complete(data: JsonObject, stored: StoredRecord): JsonObject {
  if (data['migrationFile'] !== undefined || !stored.data.includes('"migrationFile":')) return data
  return JSON.parse(stored.data) as JsonObject
}

function areSame(left: Int32Array, right: Int32Array): boolean {
  if (left.length !== right.length) return false
  for (let at = 0; at < left.length; at += 1) if (left[at] !== right[at]) return false
  return true
}

function memoryOf(graph: GraphProjection): Memory {
  let memory = memories.get(graph)
  if (memory === undefined) {
    memory = { shape: graph.shape, answers: new Map() }
    memories.set(graph, memory)
  }
  if (memory.shape !== graph.shape) {
    memory.shape = graph.shape
    memory.answers.clear()
  }
  return memory
}
