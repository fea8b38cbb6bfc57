import type { Domain } from '../live/view/projection.ts'
import { edgeCheck, nodeCheck } from '../records/graph/graph.ts'
import { graphProjection } from './derive/graph-projection.ts'

/** What the live layer has to know of the graph: the kinds it stores and the projection it keeps. */
export const graphDomain: Domain = {
  kinds: { node: nodeCheck, edge: edgeCheck },
  projections: [graphProjection],
}
