import { isJsonObject, type JsonObject } from '../canonical-json.ts'
import { type EdgeOrigin, isTypeName, parseNodeId } from './graph-id.ts'

/** The data of a record of kind `node`: an assertion about a node. */
export interface NodeData {
  readonly id: string
  /** For people. @default the decoded parts of the id */
  readonly label?: string
  readonly properties?: JsonObject
}

/** The data of a record of kind `edge`. `source` and `target` are node ids; the nodes need not exist. */
export interface EdgeData {
  readonly source: string
  readonly type: string
  readonly target: string
  /** Edges that services declare are derived, never stored. */
  readonly origin: Exclude<EdgeOrigin, 'declared'>
  readonly properties?: JsonObject
}

/** The fault in the stored data of an asserted node, or `undefined`. */
export function nodeCheck(data: unknown): string | undefined {
  if (!isJsonObject(data)) return 'it is not an object'
  if (!isNodeId(data['id'])) return 'id is not a node id such as team:payments, with percent-encoded parts'
  if (data['label'] !== undefined && typeof data['label'] !== 'string') return 'label is not a text'
  return propertiesFault(data)
}

/** The fault in the stored data of an asserted edge, or `undefined`. */
export function edgeCheck(data: unknown): string | undefined {
  if (!isJsonObject(data)) return 'it is not an object'
  if (!isNodeId(data['source'])) return 'source is not a node id'
  if (!isNodeId(data['target'])) return 'target is not a node id'
  if (typeof data['type'] !== 'string' || !isTypeName(data['type']))
    return 'type is not a name of letters, digits, "_", "." and "-"'
  if (data['origin'] !== 'asserted' && data['origin'] !== 'observed')
    return 'origin is neither asserted nor observed'
  return propertiesFault(data)
}

function propertiesFault(data: Record<string, unknown>): string | undefined {
  return data['properties'] === undefined || isJsonObject(data['properties'])
    ? undefined
    : 'properties is not an object'
}

function isNodeId(value: unknown): boolean {
  return typeof value === 'string' && parseNodeId(value) !== undefined
}
