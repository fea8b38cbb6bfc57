import type { GroupedMap, Grouping } from '../../../drawing/map/grouped-map.ts'
import { MOST_ITEMS } from '../../../drawing/map/map-graph.ts'
import { type Moment, type ReadGraph, readGraph } from './read-graph.ts'

/** What a map is made of. */
export interface ReadMap {
  readonly read: ReadGraph
  /** Of a graph that is too large to be read: the groups that the coordinator made. */
  readonly groups?: GroupedMap
}

/** Reads the whole graph where a map can show it. */
export async function readMap(
  moment: Moment,
  _grouping: { readonly groupBy: Grouping; readonly opened: readonly string[] },
  signal: AbortSignal,
): Promise<ReadMap> {
  return { read: await readGraph(moment, undefined, signal, MOST_ITEMS) }
}
