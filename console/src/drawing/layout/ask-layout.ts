import { WorkerTurns } from '../workers/worker-turns.ts'
import type { Layout, LayoutWanted } from './layout.ts'

/** Lays drawings out in a worker, so that the page never stops: two hundred boxes take up to a second. */
export const layouts = new WorkerTurns<LayoutWanted, Layout>(
  () => new Worker(new URL('./layout-worker.ts', import.meta.url), { type: 'module' }),
)
