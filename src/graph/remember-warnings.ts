import type { JsonObject } from '../records/canonical-json.ts'
import type { Warning } from '../records/warning.ts'
import type { GraphReader } from './graph-reader.ts'
import { registerWarnings } from './register-warnings.ts'

/** More answers than this are not kept: a graph that large changes all the time. */
const KEPT_MAX = 20_000
/** Longer questions are not kept, in UTF-16 code units: one may hold a migration file of 256 KiB. */
const QUESTION_MAX = 2_048

interface Memory {
  shape: number
  readonly answers: Map<string, readonly Warning[]>
}

const memories = new WeakMap<GraphReader, Memory>()

/**
 * `registerWarnings`, asked once as long as the graph keeps its shape. Most registrations change nothing in it: another
 * instance of a service has the dependencies of the first one, and a restarted service has its own.
 */
export function rememberWarnings(graph: GraphReader, data: JsonObject): readonly Warning[] {
  const { answers } = memoryOf(graph)
  // Everything in a registration that makes edges of the graph.
  const question = JSON.stringify([
    data['serviceName'],
    data['dependencies'],
    data['capabilities'],
    data['migrationFile'],
  ])
  const known = answers.get(question)
  if (known !== undefined) return known
  const found = registerWarnings(graph, data)
  if (question.length > QUESTION_MAX) return found
  if (answers.size >= KEPT_MAX) answers.clear()
  answers.set(question, found)
  return found
}

function memoryOf(graph: GraphReader): Memory {
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
