import type { Domain } from '../live/view/projection.ts'
import { edgeCheck, nodeCheck } from '../records/graph/graph.ts'
import { graphProjection } from './derive/graph-projection.ts'

/** The kinds of records that the graph stores, and the projection that it keeps of them. */
export const graphDomain: Domain = {
  kinds: { node: nodeCheck, edge: edgeCheck },
  projections: [graphProjection],
}
