import type { JsonObject } from '../../records/canonical-json.ts'

/**
 * Receives what one service record contributes to the graph. An edge goes from the node of the service to `target`, which is created with
 * it. `edge` describes the relation, and `node` the target.
 */
export type DeriveSink = (type: string, target: string, edge?: JsonObject, node?: JsonObject) => void
