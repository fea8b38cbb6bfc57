import { graphDomain } from '../graph/graph-domain.ts'
import type { Domain } from '../live/view/projection.ts'
import { SERVICE_KIND } from '../records/service/service.ts'
import { serviceCheck } from '../records/service/service-check.ts'
import { serviceIndex } from './index/service-index.ts'

/** The kinds of records with their checks, and the projections of a view: the index of services, and the graph. */
export const domain: Domain = {
  kinds: { [SERVICE_KIND]: serviceCheck, ...graphDomain.kinds },
  projections: [serviceIndex, ...graphDomain.projections],
}
