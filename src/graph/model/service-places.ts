import { namespaceOfNodeId } from '../../records/graph/graph-id.ts'

const placedService = 'service:@'

/** How many namespaces are looked at. A message names only a few of them. */
const MAX_LOOKED_AT = 100

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

  /** Some of the namespaces, sorted. @param id the id of the service in `default` */
  of(id: string): readonly string[] {
    const known = this.#namespaces.get(id)
    return known === undefined ? [] : [...known.values().take(MAX_LOOKED_AT)].sort()
  }
}

function idInDefault(id: string): string {
  return `service:${id.slice(id.indexOf(':', placedService.length) + 1)}`
}
