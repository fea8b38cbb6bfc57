import { smallest } from '../../collections/smallest.ts'
import type { JsonObject, JsonValue } from '../../records/canonical-json.ts'
import { edgeId } from '../../records/graph/graph-id.ts'
import type { StoredRecord } from '../../records/record.ts'
import type { GraphReader } from '../model/graph-reader.ts'
import { dataOf, itemsOf, textOf } from '../model/lenient-json.ts'
import { byId, MAX_DESCRIBED_RECORDS, type NodeName, nodeName, recordsById } from '../model/node-name.ts'
import { deriveService } from './derive.ts'

export interface NodeJson extends NodeName {
  readonly data: JsonObject
}

export interface EdgeJson {
  readonly id: string
  readonly source: string
  readonly target: string
  readonly type: string
  readonly origin: string
  /** Each record that contributes the edge has a current revision. This is the oldest of them. */
  readonly revision: number
  readonly data: JsonObject
}

/** The declarations of all services with one name. */
interface Declarations {
  readonly services: readonly { readonly record: StoredRecord; readonly data: JsonObject }[]
  /** Details of relations, by type and target. */
  readonly relations: ReadonlyMap<string, readonly Relation[]>
}

interface Relation {
  readonly edge: JsonObject | undefined
  readonly node: JsonObject | undefined
}

/** How many nodes have their declarations cached while one answer is made. */
const MAX_CACHED_NODES = 64

/**
 * Shows nodes and edges of one graph as JSON. The graph itself keeps no data. The describer reads it from the records when it is needed, so
 * that the size of a registration does not matter for the cost of registering. If it is asked node by node, it reads each record once.
 */
export class Describer {
  readonly #graph: GraphReader
  readonly #read = new Map<number, Declarations>()

  constructor(graph: GraphReader) {
    this.#graph = graph
  }

  node(node: number): NodeJson {
    return { ...nodeName(this.#graph, node), data: this.#dataOf(node) }
  }

  /** All tags of the services of a node. */
  tagsOf(node: number): ReadonlySet<JsonValue> {
    const records = recordsById(this.#graph.servicesOf(node))
    return new Set(records.flatMap((record) => itemsOf(dataOf(record)['tags'])))
  }

  edge(edge: number): EdgeJson {
    const graph = this.#graph
    const identity = graph.identityOf(edge)
    const { source, type, target, origin } = identity
    return {
      id: edgeId(identity),
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
    const { services } = this.#declarationsOf(node)
    return {
      ...(graph.isResolved(node) ? {} : { unresolved: true }),
      ...(services.length > 0
        ? serviceData(services, graph.servicesOf(node).length)
        : this.#definition(node)),
      ...(asserted.length > 0 ? { properties: propertiesOf(asserted) } : {}),
    }
  }

  /** The details that a defining service declares about a node, such as method and path of an API. */
  #definition(node: number): JsonObject {
    const graph = this.#graph
    const definers: { readonly id: string; readonly source: number; readonly type: string }[] = []
    for (const edge of graph.out.of(node)) {
      if (!graph.isDefining(edge)) continue
      const source = graph.sourceOf(edge)
      definers.push({ id: graph.idOf(source), source, type: graph.typeOf(edge) })
    }
    let read = 0
    for (const { source, type } of smallest(definers, MAX_CACHED_NODES, byId)) {
      read += graph.servicesOf(source).length
      if (read > MAX_DESCRIBED_RECORDS) break
      const relations = this.#declarationsOf(source).relations.get(relationKey(type, graph.idOf(node)))
      const said = relations?.find((relation) => relation.node !== undefined)?.node
      if (said !== undefined) return said
    }
    return {}
  }

  #edgeData(edge: number, type: string, target: string): JsonObject {
    const graph = this.#graph
    const asserted = graph.edgeAssertionsOf(edge)
    if (asserted.length > 0) return { properties: propertiesOf(asserted) }
    const said = this.#declarationsOf(graph.sourceOf(edge)).relations.get(relationKey(type, target)) ?? []
    return { declaredBy: graph.edges.refs[edge] as number, ...relationData(type, said) }
  }

  #declarationsOf(node: number): Declarations {
    const known = this.#read.get(node)
    if (known !== undefined) return known
    if (this.#read.size === MAX_CACHED_NODES) this.#read.clear()
    const declarations = readDeclarations(this.#graph.servicesOf(node))
    this.#read.set(node, declarations)
    return declarations
  }
}

function readDeclarations(records: readonly StoredRecord[]): Declarations {
  const services = recordsById(records).map((record) => ({ record, data: dataOf(record) }))
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

/** Only a change by hand can create several records about the same thing. The later id then wins, on every coordinator. */
function propertiesOf(asserted: readonly StoredRecord[]): JsonObject {
  const all = recordsById(asserted).map((record) => dataOf(record)['properties'])
  return Object.assign({}, ...all) as JsonObject
}

function serviceData(services: Declarations['services'], count: number): JsonObject {
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
