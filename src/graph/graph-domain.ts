import type { Domain } from '../live/view/projection.ts'
import { edgeCheck, nodeCheck } from '../records/graph/graph.ts'
import { graphProjection } from './derive/graph-projection.ts'

/** What the live layer has to know about the graph: the kinds of records that it stores, and its projection. */
export const graphDomain: Domain = {
  kinds: { node: nodeCheck, edge: edgeCheck },
  projections: [graphProjection],
}
