import type { GraphPlace } from '../graph-place.ts'
import type { GraphView } from './graph-view.ts'
import { readCycles } from './read-cycles.ts'
import { readPaths } from './read-paths.ts'
import { readProblems } from './read-problems.ts'
import { readReach } from './read-reach.ts'

/**
 * Asks what the address of the page asks.
 *
 * @returns `undefined` if a node must be chosen first
 * @throws ApiError
 */
export async function readView(place: GraphPlace, signal: AbortSignal): Promise<GraphView | undefined> {
  const { show, of, to, depth, opened, asOf, namespace } = place
  const moment = { asOf, namespace }
  switch (show) {
    case 'problems':
      return readProblems(moment, depth, signal)
    case 'cycles':
      return readCycles(moment, signal)
    case 'paths':
      return of === undefined || to === undefined ? undefined : readPaths(moment, { of, to }, signal)
    case 'map':
      return undefined
    default:
      return of === undefined ? undefined : readReach(moment, { show, of, depth, opened }, signal)
  }
}
