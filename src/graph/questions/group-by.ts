import type { JsonValue } from '../../records/canonical-json.ts'
import { namespaceOfNodeId, nodeTypeOf } from '../../records/graph/graph-id.ts'
import type { Health } from '../../records/health.ts'
import type { StoredRecord } from '../../records/record.ts'
import type { GraphReader } from '../model/graph-reader.ts'
import { dataOf, itemsOf, textOf } from '../model/lenient-json.ts'
import { recordsById } from '../model/node-name.ts'

/** What nodes are grouped by. `metadata`: a member of the metadata of services, or of the asserted properties of a node. */
export type GroupBy =
  | { readonly by: 'namespace' | 'type' | 'health' | 'tag' | 'owner' }
  | { readonly by: 'metadata'; readonly key: string }

/** The health of the service in a record. */
export type HealthOf = (record: StoredRecord) => Health

/** Longer values are cut, because a group is shown by its value. In UTF-16 code units. */
const VALUE_MAX = 256

/** The values of a node, by which it belongs to groups: several for tags, none if it has none. */
export function valuesOf(
  graph: GraphReader,
  groupBy: GroupBy,
  healthOf: HealthOf,
): (node: number) => readonly string[] {
  switch (groupBy.by) {
    case 'namespace':
      return (node) => [namespaceOfNodeId(graph.idOf(node))]
    case 'type':
      return (node) => [nodeTypeOf(graph.idOf(node))]
    case 'health':
      return (node) => oneOrNone(nodeHealth(graph, node, healthOf))
    case 'tag':
      return (node) => {
        const tags = recordsById(graph.servicesOf(node)).flatMap((record) => itemsOf(dataOf(record)['tags']))
        return [...new Set(tags.flatMap((tag) => textOf(tag) ?? []))]
      }
    case 'owner':
      return (node) => oneOrNone(memberOf(graph, node, 'owner') ?? ownerByEdge(graph, node))
    case 'metadata':
      return (node) => oneOrNone(memberOf(graph, node, groupBy.key))
  }
}

function oneOrNone(value: string | undefined): readonly string[] {
  return value === undefined ? [] : [value]
}

/** The health of a service with several instances is that of the worst of them. */
const worstFirst: readonly Health[] = ['down', 'expired', 'up', 'unknown']

/** @returns `undefined` for a node that is no registered service */
export function nodeHealth(graph: GraphReader, node: number, healthOf: HealthOf): Health | undefined {
  const records = graph.servicesOf(node)
  if (records.length === 0) return undefined
  let worst: Health = 'unknown'
  for (const record of records) {
    const health = healthOf(record)
    if (worstFirst.indexOf(health) < worstFirst.indexOf(worst)) worst = health
  }
  return worst
}

/** A member of the metadata of the first service that has it, else of the asserted properties. */
function memberOf(graph: GraphReader, node: number, key: string): string | undefined {
  const sources = [
    ...recordsById(graph.servicesOf(node)).map((record) => dataOf(record)['metadata']),
    ...recordsById(graph.assertionsOf(node)).map((record) => dataOf(record)['properties']),
  ]
  for (const source of sources) {
    const text = shownText(ownMember(source, key))
    if (text !== undefined) return text
  }
  return undefined
}

function ownMember(source: JsonValue | undefined, key: string): JsonValue | undefined {
  if (typeof source !== 'object' || source === null || Array.isArray(source)) return undefined
  return Object.hasOwn(source, key) ? (source as Readonly<Record<string, JsonValue>>)[key] : undefined
}

function shownText(value: JsonValue | undefined): string | undefined {
  const text = typeof value === 'number' || typeof value === 'boolean' ? String(value) : textOf(value)
  if (text === undefined || text.length <= VALUE_MAX) return text
  return `${text.slice(0, VALUE_MAX - 1).toWellFormed()}…`
}

/** The id of the node that owns a node, the first by id. */
function ownerByEdge(graph: GraphReader, node: number): string | undefined {
  let first: string | undefined
  for (const edge of graph.out.of(node)) {
    if (graph.typeOf(edge) !== 'owns') continue
    const owner = graph.idOf(graph.sourceOf(edge))
    if (first === undefined || owner < first) first = owner
  }
  return first
}
