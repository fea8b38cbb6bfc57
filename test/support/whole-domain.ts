import { graphDomain } from '../../src/graph/graph-domain.ts'
import type { Domain } from '../../src/live/view/projection.ts'
import { registryKinds, registryProjections } from '../../src/registry/registry.ts'

/** What a coordinator keeps over its records: the registry and the graph. */
export const wholeDomain: Domain = {
  kinds: { ...registryKinds, ...graphDomain.kinds },
  projections: [...registryProjections, ...graphDomain.projections],
}
