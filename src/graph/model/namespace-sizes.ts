import { byCodeUnits, SortedList } from '../../collections/sorted-list.ts'
import { namespaceOfNodeId } from '../../records/graph/graph-id.ts'

/** The namespaces that have nodes, and how many each has. */
export class NamespaceSizes {
  /** In order of their names. */
  readonly names = new SortedList<string>(byCodeUnits)
  readonly #sizes = new Map<string, number>()

  of(namespace: string): number {
    return this.#sizes.get(namespace) ?? 0
  }

  /** Counts a node that appears (`1`) or disappears (`-1`). */
  count(id: string, by: 1 | -1): void {
    const namespace = namespaceOfNodeId(id)
    const size = this.of(namespace) + by
    if (size === 0) {
      this.#sizes.delete(namespace)
      this.names.delete(namespace)
      return
    }
    this.#sizes.set(namespace, size)
    if (size === 1) this.names.add(namespace)
  }
}
