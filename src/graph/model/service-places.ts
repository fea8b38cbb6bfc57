import { idInDefault, namespaceOfNodeId } from '../../records/graph/graph-id.ts'

const placedService = 'service:@'

/** A name in more namespaces than this says nothing about what somebody meant. */
const MAX_NAMED = 100

/** The namespaces outside `default` that have a service of some name. It costs nothing where all services are in `default`. */
export class ServicePlaces {
  /** Namespaces by the id that the node would have in `default`. */
  readonly #namespaces = new Map<string, Set<string>>()

  /** Adds a node. Nodes of other types, and those in `default`, are not kept. */
  add(id: string): void {
    if (!id.startsWith(placedService)) return
    const key = idInDefault(id)
    const known = this.#namespaces.get(key)
    if (known === undefined) this.#namespaces.set(key, new Set([namespaceOfNodeId(id)]))
    else known.add(namespaceOfNodeId(id))
  }

  delete(id: string): void {
    if (!id.startsWith(placedService)) return
    const key = idInDefault(id)
    const known = this.#namespaces.get(key)
    known?.delete(namespaceOfNodeId(id))
    if (known?.size === 0) this.#namespaces.delete(key)
  }

  /** The namespaces in order; none if there are more than a hundred. @param id the id of the service in `default` */
  of(id: string): readonly string[] {
    const known = this.#namespaces.get(id)
    return known === undefined || known.size > MAX_NAMED ? [] : [...known].sort()
  }
}
