import type { Domain, KindCheck, ProjectionDefinition } from '../live/view/projection.ts'
import { SERVICE_KIND } from '../records/service/service.ts'
import { serviceCheck } from '../records/service/service-check.ts'
import { serviceIndex } from './index/service-index.ts'

/** The kinds of records that the registry stores. */
export const registryKinds: Readonly<Record<string, KindCheck>> = { [SERVICE_KIND]: serviceCheck }

/** What the registry keeps over them. */
export const registryProjections: readonly ProjectionDefinition[] = [serviceIndex]

/** All that a `Live` has to know to serve the registry alone. */
export const registryDomain: Domain = { kinds: registryKinds, projections: registryProjections }
