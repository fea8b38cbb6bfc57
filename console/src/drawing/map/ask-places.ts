import { WorkerTurns } from '../workers/worker-turns.ts'
import type { MapGraph, MapPlace } from './map-graph.ts'

/** Places the circles of maps in a worker: two thousand take a second. */
export const places = new WorkerTurns<MapGraph, ReadonlyMap<string, MapPlace>>(
  () => new Worker(new URL('./place-worker.ts', import.meta.url), { type: 'module' }),
)
