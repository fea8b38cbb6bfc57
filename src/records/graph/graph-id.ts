import { createHash } from 'node:crypto'
import { DEFAULT_NAMESPACE, isNamespace } from '../service/namespace.ts'

/** The origin of an edge: a registration, an assertion, or observed traffic. */
export type EdgeOrigin = 'declared' | 'asserted' | 'observed'

export const EDGE_ORIGINS: readonly EdgeOrigin[] = ['declared', 'asserted', 'observed']

/** The parts that identify an edge. `source` and `target` are node ids. */
export interface EdgeIdentity {
  readonly source: string
  readonly type: string
  readonly target: string
  readonly origin: EdgeOrigin
}

/** The longest id of a node, in characters. A service name of 255 characters fits in every script. */
const MAX_NODE_ID_LENGTH = 4_096

const typeName = /^[A-Za-z][A-Za-z0-9_.-]{0,63}$/
const plain = /^[A-Za-z0-9_.-]+$/

/** Whether a text can be the type of a node or of an edge. */
export function isTypeName(text: string): boolean {
  return typeName.test(text)
}

/** A part that begins with it names the namespace. The encoding of another part has `%40` in its place. */
const namespaceMark = '@'

/**
 * The id of a node in the namespace `default`: its type and its parts, joined by `:`. The parts are percent-encoded, as by
 * `encodeURIComponent`. A name with a `:` or `,` therefore cannot look like another node.
 */
export function nodeId(type: string, ...parts: readonly string[]): string {
  let id = type
  for (const part of parts) id += `:${encodePart(part)}`
  return id
}

/** The id of a node in any namespace. Outside `default` the part `@namespace` stands before the others. */
export function nodeIdIn(namespace: string, type: string, ...parts: readonly string[]): string {
  return nodeId(namespace === DEFAULT_NAMESPACE ? type : `${type}:${namespaceMark}${namespace}`, ...parts)
}

const servicePrefix = 'service:'

/** The id of the node for all services with one name in one namespace. */
export function serviceNodeId(serviceName: string, namespace: string = DEFAULT_NAMESPACE): string {
  return namespace === DEFAULT_NAMESPACE
    ? servicePrefix + encodePart(serviceName)
    : nodeIdIn(namespace, 'service', serviceName)
}

/** The name of the services of the namespace `default` whose node has this id; `undefined` for the id of another node. */
export function serviceNameOf(id: string): string | undefined {
  if (!id.startsWith(servicePrefix) || id.startsWith(namespaceMark, servicePrefix.length)) return undefined
  const name = decodePart(id.slice(servicePrefix.length))
  return name === undefined || serviceNodeId(name) !== id ? undefined : name
}

function encodePart(text: string): string {
  return plain.test(text) ? text : encodeURIComponent(text.toWellFormed())
}

export interface ParsedNodeId {
  readonly type: string
  readonly namespace: string
  /** Decoded, without the namespace. */
  readonly parts: readonly string[]
}

/** Parses a node id; `undefined` if the text is not in the only valid form. */
export function parseNodeId(id: string): ParsedNodeId | undefined {
  if (id.length > MAX_NODE_ID_LENGTH || !id.isWellFormed()) return undefined
  const [type = '', ...given] = id.split(':')
  const namespace = namespaceOfNodeId(id)
  const encoded = given[0]?.startsWith(namespaceMark) ? given.slice(1) : given
  if (!isTypeName(type) || !isNamespace(namespace) || !encoded[0]) return undefined
  const parts = encoded.map(decodePart)
  if (parts.includes(undefined)) return undefined
  const decoded = parts as readonly string[]
  return decoded.some((part) => part.includes('\0')) || nodeIdIn(namespace, type, ...decoded) !== id
    ? undefined
    : { type, namespace, parts: decoded }
}

function decodePart(text: string): string | undefined {
  if (plain.test(text)) return text
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

/**
 * The id of a node from a text in which parts may already be decoded, as in the path of a URL. `undefined` if the text cannot become a node
 * id. A first part such as `@shop` names a namespace if other parts follow. `@angular/core` cannot be a namespace, and is a part like
 * others.
 */
export function normalNodeId(text: string): string | undefined {
  if (parseNodeId(text) !== undefined) return text
  if (!text.isWellFormed()) return undefined
  const [type = '', ...parts] = text.split(':')
  const named = parts.length > 1 && parts[0]?.startsWith(namespaceMark) ? parts[0].slice(1) : ''
  if (named === DEFAULT_NAMESPACE) return undefined
  const id = isNamespace(named) ? nodeIdIn(named, type, ...parts.slice(1)) : nodeId(type, ...parts)
  return parseNodeId(id) === undefined ? undefined : id
}

/** The part of an id before the first `:`. */
export function nodeTypeOf(id: string): string {
  return id.slice(0, id.indexOf(':'))
}

/** The namespace of a node. */
export function namespaceOfNodeId(id: string): string {
  const start = id.indexOf(':') + 1
  if (!id.startsWith(namespaceMark, start)) return DEFAULT_NAMESPACE
  const end = id.indexOf(':', start)
  return id.slice(start + 1, end === -1 ? undefined : end)
}

/** The id that a node of the same type and parts has in the namespace `default`. */
export function idInDefault(id: string): string {
  const start = id.indexOf(':') + 1
  if (!id.startsWith(namespaceMark, start)) return id
  return id.slice(0, start) + id.slice(id.indexOf(':', start) + 1)
}

/** A readable text from an id: its decoded parts, without the namespace. */
export function labelOfNodeId(id: string): string {
  const start = id.indexOf(':') + 1
  const label = id.slice(id.startsWith(namespaceMark, start) ? id.indexOf(':', start) + 1 : start)
  if (plain.test(label)) return label
  return label
    .split(':')
    .map((part) => decodePart(part) ?? part)
    .join(' ')
}

/** A readable text for lists of nodes from several namespaces: `shop/cart`, and only `cart` in the namespace `default`. */
export function placedLabel({
  namespace,
  label,
}: {
  readonly namespace: string
  readonly label: string
}): string {
  return namespace === DEFAULT_NAMESPACE ? label : `${namespace}/${label}`
}

/** The id of an edge: source, type, target and origin, joined by commas. No node id contains a comma. */
export function edgeId({ source, type, target, origin }: EdgeIdentity): string {
  return `${source},${type},${target},${origin}`
}

/** Parses an edge id. Without an origin it means `asserted`. `undefined` if the text is not an edge id. */
export function parseEdgeId(id: string): EdgeIdentity | undefined {
  const [source = '', type = '', target = '', origin = 'asserted', ...more] = id.split(',')
  if (more.length > 0 || !isTypeName(type) || !isOrigin(origin)) return undefined
  if (parseNodeId(source) === undefined || parseNodeId(target) === undefined) return undefined
  return { source, type, target, origin }
}

/** Does for the id of an edge what `normalNodeId` does for the id of a node. */
export function normalEdge(text: string): EdgeIdentity | undefined {
  const exact = parseEdgeId(text)
  if (exact !== undefined) return exact
  const [source = '', type = '', target = '', ...rest] = text.split(',')
  const ends = [normalNodeId(source), normalNodeId(target)]
  if (ends[0] === undefined || ends[1] === undefined) return undefined
  return parseEdgeId([ends[0], type, ends[1], ...rest].join(','))
}

function isOrigin(text: string): text is EdgeOrigin {
  return (EDGE_ORIGINS as readonly string[]).includes(text)
}

/** The longest id that is used unchanged as the id of a record. */
const MAX_READABLE_LENGTH = 512

/** The id of the record of an asserted node or edge: its own id, or a hash if that id is too long to store. */
export function recordIdOf(id: string): string {
  if (id.length <= MAX_READABLE_LENGTH) return id
  return `sha256:${createHash('sha256').update(id).digest('hex')}`
}
