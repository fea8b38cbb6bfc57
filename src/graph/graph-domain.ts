import type { Domain } from '../live/view/projection.ts'
import { edgeCheck, nodeCheck } from '../records/graph/graph.ts'
import { graphProjection } from './derive/graph-projection.ts'

/** Tells the live layer about the graph: the kinds of its records, and its projection. */
export const graphDomain: Domain = {
  kinds: { node: nodeCheck, edge: edgeCheck },
  projections: [graphProjection],
}
