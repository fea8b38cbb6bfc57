import type { JsonObject, JsonValue } from '../../records/canonical-json.ts'
import { edgeId, labelOfNodeId, nodeTypeOf } from '../../records/graph/graph-id.ts'
import type { StoredRecord } from '../../records/record.ts'
import { deriveService } from '../derive/derive.ts'
import { itemsOf, textOf } from '../derive/derive-sink.ts'
import type { GraphReader } from './graph-reader.ts'
import { smallest } from './smallest.ts'

/** A node without its data, as lists of nodes show it. */
export interface NodeName {
  readonly id: string
  readonly label: string
  readonly type: string
}

export interface NodeJson extends NodeName {
  readonly data: JsonObject
}

export interface EdgeJson {
  readonly id: string
  readonly source: string
  readonly target: string
  readonly type: string
  readonly origin: string
  /** The oldest among the present revisions of the records that state the edge. */
  readonly revision: number
  readonly data: JsonObject
}

/** How many records of one node are read for its data. More of them are counted only. */
export const MAX_DESCRIBED_RECORDS = 1_000

/** What the services of one name say. */
interface Statements {
  readonly services: readonly { readonly record: StoredRecord; readonly data: JsonObject }[]
  /** Details of relations, by type and target. */
  readonly relations: ReadonlyMap<string, readonly Relation[]>
}

interface Relation {
  readonly edge: JsonObject | undefined
  readonly node: JsonObject | undefined
}

/** Nodes whose statements are kept between questions of one answer. */
const MAX_CACHED_NODES = 64

/**
 * Shows nodes and edges of one graph as JSON. The graph itself keeps no data: it is read from the records when it is
 * asked for, so that a registration costs the same however much it says. Reads each record once, if asked node by node.
 */
export class Describer {
  readonly #graph: GraphReader
  readonly #read = new Map<number, Statements>()

  constructor(graph: GraphReader) {
    this.#graph = graph
  }

  name(node: number): NodeName {
    return nodeName(this.#graph, node)
  }

  node(node: number): NodeJson {
    return { ...this.name(node), data: this.#dataOf(node) }
  }

  /** Every tag that services of a node carry. */
  tagsOf(node: number): ReadonlySet<JsonValue> {
    const records = inOrder(this.#graph.servicesOf(node))
    return new Set(records.flatMap((record) => itemsOf(parse(record)['tags'])))
  }

  edge(edge: number): EdgeJson {
    const graph = this.#graph
    const [source, target] = [graph.idOf(graph.sourceOf(edge)), graph.idOf(graph.targetOf(edge))]
    const [type, origin] = [graph.typeOf(edge), graph.originOf(edge)]
    return {
      id: edgeId({ source, type, target, origin }),
      source,
      target,
      type,
      origin,
      revision: graph.edges.revision[edge] as number,
      data: this.#edgeData(edge, type, target),
    }
  }

  #dataOf(node: number): JsonObject {
    const graph = this.#graph
    const asserted = graph.assertionsOf(node)
    const { services } = this.#statementsOf(node)
    return {
      ...(graph.isResolved(node) ? {} : { unresolved: true }),
      ...(services.length > 0
        ? serviceData(services, graph.servicesOf(node).length)
        : this.#definition(node)),
      ...(asserted.length > 0 ? { properties: propertiesOf(asserted) } : {}),
    }
  }

  /** What the service that defines a node says about it, such as method and path of an API. */
  #definition(node: number): JsonObject {
    const graph = this.#graph
    const id = graph.idOf(node)
    const { start, length, items } = graph.out
    const first = start[node] ?? 0
    const definers: { readonly id: string; readonly source: number; readonly type: string }[] = []
    for (let at = first; at < first + (length[node] ?? 0); at += 1) {
      const edge = items[at] as number
      const source = graph.sourceOf(edge)
      if (graph.isReversed((graph.edges.kind[edge] as number) >> 2) && graph.originOf(edge) === 'declared')
        definers.push({ id: graph.idOf(source), source, type: graph.typeOf(edge) })
    }
    let read = 0
    for (const { source, type } of smallest(definers, MAX_CACHED_NODES, byId)) {
      read += graph.servicesOf(source).length
      if (read > MAX_DESCRIBED_RECORDS) break
      const relations = this.#statementsOf(source).relations.get(relationKey(type, id))
      const said = relations?.find((relation) => relation.node !== undefined)?.node
      if (said !== undefined) return said
    }
    return {}
  }

  #edgeData(edge: number, type: string, target: string): JsonObject {
    const graph = this.#graph
    const asserted = graph.edgeAssertionsOf(edge)
    if (asserted.length > 0) return { properties: propertiesOf(asserted) }
    const said = this.#statementsOf(graph.sourceOf(edge)).relations.get(relationKey(type, target)) ?? []
    return { declaredBy: graph.edges.refs[edge] as number, ...relationData(type, said) }
  }

  #statementsOf(node: number): Statements {
    const known = this.#read.get(node)
    if (known !== undefined) return known
    if (this.#read.size === MAX_CACHED_NODES) this.#read.clear()
    const statements = readStatements(this.#graph.servicesOf(node))
    this.#read.set(node, statements)
    return statements
  }
}

/** A node without its data: the label is the asserted one, or made from the id. */
export function nodeName(graph: GraphReader, node: number): NodeName {
  const id = graph.idOf(node)
  const labels = inOrder(graph.assertionsOf(node)).map((record) => textOf(parse(record)['label']))
  // The later one wins, as of properties.
  const label = labels.findLast((text) => text !== undefined) ?? labelOfNodeId(id)
  return { id, label, type: nodeTypeOf(id) }
}

function readStatements(records: readonly StoredRecord[]): Statements {
  const services = inOrder(records).map((record) => ({ record, data: parse(record) }))
  const relations = new Map<string, Relation[]>()
  for (const { data } of services)
    deriveService(data, (type, target, edge, node) => {
      const key = relationKey(type, target)
      const known = relations.get(key)
      if (known === undefined) relations.set(key, [{ edge, node }])
      else known.push({ edge, node })
    })
  return { services, relations }
}

function relationKey(type: string, target: string): string {
  return `${type} ${target}`
}

function parse(record: StoredRecord): JsonObject {
  return JSON.parse(record.data) as JsonObject
}

/** By id, so that every coordinator says the same. */
function inOrder(records: readonly StoredRecord[]): readonly StoredRecord[] {
  return records.length < 2 ? records : smallest(records, MAX_DESCRIBED_RECORDS, byId)
}

function byId(left: { readonly id: string }, right: { readonly id: string }): number {
  return left.id < right.id ? -1 : 1
}

/** Only a change by hand can make more than one record about the same thing: then the later id wins, everywhere. */
function propertiesOf(asserted: readonly StoredRecord[]): JsonObject {
  const all = inOrder(asserted).map((record) => parse(record)['properties'])
  return Object.assign({}, ...all) as JsonObject
}

function serviceData(services: Statements['services'], count: number): JsonObject {
  const tags = services.flatMap(({ data }) => itemsOf(data['tags']))
  return {
    serviceName: services[0]?.data['serviceName'] ?? '',
    instanceCount: count,
    instances: services.slice(0, 100).map(({ record, data }) => ({
      serviceId: record.id,
      version: data['version'] ?? '',
      endpoint: data['endpoint'] ?? '',
      status: data['migrationFile'] === undefined ? 'pending_migration' : 'active',
      revision: record.revision,
    })),
    versions: [...new Set(services.map(({ data }) => data['version'] ?? ''))].sort(),
    ...(tags.length > 0 ? { tags: [...new Set(tags)].sort() } : {}),
    ...(count > services.length ? { describedInstances: services.length } : {}),
  }
}

function relationData(type: string, said: readonly Relation[]): JsonObject {
  const details = said.flatMap(({ edge }) => (edge === undefined ? [] : [edge]))
  if (type !== 'depends_on') return details[0] === undefined ? {} : { details: details[0] }
  const versions = textsOf(details, 'version')
  const types = textsOf(details, 'type')
  return {
    ...(versions.length > 0 ? { versions } : {}),
    ...(types.length > 0 ? { dependencyTypes: types } : {}),
  }
}

function textsOf(details: readonly JsonObject[], member: string): readonly string[] {
  return [...new Set(details.flatMap((detail) => textOf(detail[member]) ?? []))].sort()
}
