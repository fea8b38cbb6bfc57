import {
  EDGE_ORIGINS,
  type EdgeOrigin,
  idInDefault,
  nodeTypeOf,
  serviceNameOf,
  serviceNodeId,
} from '../../records/graph/graph-id.ts'
import { DEFAULT_NAMESPACE } from '../../records/service/namespace.ts'
import { EdgeTable } from './edge-table.ts'
import { targetNeedsSource } from './edge-types.ts'
import { GraphReader } from './graph-reader.ts'
import { IntLists } from './int-lists.ts'
import { NamespaceSizes } from './namespace-sizes.ts'
import { ServicePlaces } from './service-places.ts'

/**
 * Nodes and edges by number, with reference counts. An edge exists while a record contributes it. A node exists while it is defined or has
 * an edge. Records about a node define it, and so do services that expose, publish, provide or own it. An asserted edge refers to its ends,
 * but does not define them. Free numbers are reused.
 */
export abstract class Topology extends GraphReader {
  readonly edges = new EdgeTable()
  readonly out = new IntLists({ columns: 2 })
  readonly in = new IntLists({ columns: 2 })
  readonly edgeTypes: string[] = []
  readonly reversed: boolean[] = []
  readonly nodesByType = new Map<string, number>()
  readonly namespaceSizes = new NamespaceSizes()
  readonly edgesByType: number[] = []
  readonly #typeNumbers = new Map<string, number>()
  readonly #ids: string[] = []
  /**
   * Nodes of services in `default` by name, and all others by id. Registrations contain names of services, and would have to make an id
   * each time.
   */
  readonly #services = new Map<string, number>()
  readonly #others = new Map<string, number>()
  /** How many records and defining edges define each node. */
  readonly #definitions: number[] = []
  readonly #places = new ServicePlaces()
  readonly #free: number[] = []
  #unresolved = 0
  #shape = 0

  get nodeBound(): number {
    return this.#ids.length
  }

  get nodeCount(): number {
    return this.#services.size + this.#others.size
  }

  get unresolvedCount(): number {
    return this.#unresolved
  }

  /**
   * Changes whenever a node or an edge appears or disappears, and whenever a node becomes resolved or unresolved. As long as it is the
   * same, every search has the same result.
   */
  get shape(): number {
    return this.#shape
  }

  find(id: string): number {
    const name = serviceNameOf(id)
    return (name === undefined ? this.#others.get(id) : this.#services.get(name)) ?? -1
  }

  idOf(node: number): string {
    return this.#ids[node] ?? ''
  }

  isResolved(node: number): boolean {
    return (this.#definitions[node] ?? 0) > 0
  }

  /** Ids by node number, for a copy. */
  copyIds(): readonly string[] {
    return this.#ids.slice()
  }

  copyDefinitions(): readonly number[] {
    return this.#definitions.slice()
  }

  override namespacesOf(service: string): readonly string[] {
    const id = idInDefault(service)
    const others = this.#places.of(id)
    return this.isResolved(this.find(id)) ? [DEFAULT_NAMESPACE, ...others] : others
  }

  /** The node of all services with a name in a namespace; otherwise like `nodeFor`. */
  protected serviceNode(name: string, namespace: string): number {
    const known = namespace === DEFAULT_NAMESPACE ? this.#services.get(name) : undefined
    return known ?? this.nodeFor(serviceNodeId(name, namespace))
  }

  /** The node with an id. A new node is unresolved until it is defined. */
  protected nodeFor(id: string): number {
    const known = this.find(id)
    if (known !== -1) return known
    const node = this.#free.pop() ?? this.#ids.length
    this.#ids[node] = id
    this.#definitions[node] = 0
    const name = serviceNameOf(id)
    if (name === undefined) this.#others.set(id, node)
    else this.#services.set(name, node)
    this.#unresolved += 1
    this.#shape += 1
    this.#countNode(id, 1)
    return node
  }

  protected define(node: number): void {
    const definitions = (this.#definitions[node] as number) + 1
    this.#definitions[node] = definitions
    if (definitions > 1) return
    this.#unresolved -= 1
    this.#shape += 1
    this.#places.add(this.#ids[node] as string)
  }

  protected undefine(node: number): void {
    const definitions = (this.#definitions[node] as number) - 1
    this.#definitions[node] = definitions
    if (definitions === 0) {
      this.#unresolved += 1
      this.#shape += 1
      this.#places.delete(this.#ids[node] as string)
    }
    this.#dropIfBare(node)
  }

  /** The edge with an identity, created if it is new. The caller counts its reference in `refs`. */
  protected edgeFor(source: number, type: string, target: number, origin: EdgeOrigin): number {
    const typeNumber = this.#typeNumber(type)
    const reversed = this.reversed[typeNumber] as boolean
    const [from, to] = reversed ? [target, source] : [source, target]
    const kind = typeNumber * 4 + EDGE_ORIGINS.indexOf(origin)
    const known = this.findBetween(from, to, kind)
    if (known !== -1) return known
    this.#shape += 1
    const edge = this.edges.add(from, to, kind)
    this.edges.outPosition[edge] = this.out.push(from, edge, to)
    this.edges.inPosition[edge] = this.in.push(to, edge, from)
    this.edgesByType[typeNumber] = (this.edgesByType[typeNumber] as number) + 1
    if (this.isDefining(edge)) this.define(from)
    return edge
  }

  protected dropEdge(edge: number): void {
    this.#shape += 1
    const { edges } = this
    const [from, to] = [edges.from[edge] as number, edges.to[edge] as number]
    const typeNumber = (edges.kind[edge] as number) >> 2
    const isDefining = this.isDefining(edge)
    const movedOut = this.out.removeAt(from, edges.outPosition[edge] as number)
    if (movedOut !== -1) edges.outPosition[movedOut] = edges.outPosition[edge] as number
    const movedIn = this.in.removeAt(to, edges.inPosition[edge] as number)
    if (movedIn !== -1) edges.inPosition[movedIn] = edges.inPosition[edge] as number
    edges.remove(edge)
    this.edgesByType[typeNumber] = (this.edgesByType[typeNumber] as number) - 1
    if (isDefining) this.undefine(from)
    this.#dropIfBare(from)
    this.#dropIfBare(to)
  }

  #typeNumber(type: string): number {
    const known = this.#typeNumbers.get(type)
    if (known !== undefined) return known
    this.#typeNumbers.set(type, this.edgeTypes.length)
    this.reversed.push(targetNeedsSource(type))
    this.edgesByType.push(0)
    return this.edgeTypes.push(type) - 1
  }

  #dropIfBare(node: number): void {
    const id = this.#ids[node] as string
    if (id === '' || (this.#definitions[node] as number) > 0) return
    if (this.out.size(node) > 0 || this.in.size(node) > 0) return
    const name = serviceNameOf(id)
    if (name === undefined) this.#others.delete(id)
    else this.#services.delete(name)
    this.#shape += 1
    this.#ids[node] = ''
    this.#free.push(node)
    this.#unresolved -= 1
    this.#countNode(id, -1)
  }

  #countNode(id: string, by: 1 | -1): void {
    this.namespaceSizes.count(id, by)
    const type = nodeTypeOf(id)
    const count = (this.nodesByType.get(type) ?? 0) + by
    if (count === 0) this.nodesByType.delete(type)
    else this.nodesByType.set(type, count)
  }
}
