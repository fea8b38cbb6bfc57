import type { JsonObject, JsonValue } from '../../records/canonical-json.ts'

/**
 * Hears what one service record contributes. An edge goes from the service's own node to `target`, which comes into being
 * with it. `edge` tells about the relation, `node` about the target.
 */
export type DeriveSink = (type: string, target: string, edge?: JsonObject, node?: JsonObject) => void

const none: readonly JsonValue[] = []

/** The items of a value that should be a list; none where it is something else. */
export function itemsOf(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? value : none
}

/** A text that says something. */
export function textOf(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
