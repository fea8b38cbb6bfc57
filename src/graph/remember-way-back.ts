import type { GraphReader } from './graph-reader.ts'
import { findWayBack, type WayBack } from './way-back.ts'

/** More answers than this are not kept: a graph that large changes all the time. */
const KEPT_MAX = 50_000

interface Memory {
  shape: number
  readonly ways: Map<string, WayBack>
}

const memories = new WeakMap<GraphReader, Memory>()

/**
 * `findWayBack`, asked once as long as the graph keeps its shape. Most registrations change nothing in it: another instance
 * of a service has the dependencies of the first one, and a restarted service has its own.
 */
export function rememberWayBack(
  graph: GraphReader,
  search: { readonly starts: readonly number[]; readonly end: number },
): WayBack {
  const { ways } = memoryOf(graph)
  const key = `${search.end}:${search.starts.join()}`
  const known = ways.get(key)
  if (known !== undefined) return known
  const found = findWayBack(graph, search)
  if (ways.size >= KEPT_MAX) ways.clear()
  ways.set(key, found)
  return found
}

function memoryOf(graph: GraphReader): Memory {
  const known = memories.get(graph)
  if (known?.shape === graph.shape) return known
  if (known === undefined) {
    const fresh = { shape: graph.shape, ways: new Map<string, WayBack>() }
    memories.set(graph, fresh)
    return fresh
  }
  known.shape = graph.shape
  known.ways.clear()
  return known
}
