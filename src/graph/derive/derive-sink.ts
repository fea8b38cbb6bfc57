import type { JsonObject } from '../../records/canonical-json.ts'

/**
 * Hears what one service record contributes. An edge goes from the service's own node to `target`, which comes into being
 * with it. `edge` tells about the relation, `node` about the target.
 */
export type DeriveSink = (type: string, target: string, edge?: JsonObject, node?: JsonObject) => void
