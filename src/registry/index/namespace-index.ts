import { byCodeUnits, SortedList } from '../../collections/sorted-list.ts'
import { DEFAULT_NAMESPACE } from '../../records/service/namespace.ts'
import { Postings, type Term } from './postings.ts'

/** Finds services by namespace. Services in the namespace `default` are not kept here: most registries have no others. */
export class NamespaceIndex {
  /** The namespaces that have services, sorted by code units, without `default`. */
  readonly names = new SortedList<string>(byCodeUnits)
  readonly #services = new Postings()
  readonly #termOf = new Map<number, Term>()
  /** How many services of a namespace are active. */
  readonly #active = new Map<string, number>()
  #activeTotal = 0

  /** How many services are outside `default`. */
  get size(): number {
    return this.#termOf.size
  }

  /** The namespace of a service. */
  of(number: number): string {
    return this.#termOf.get(number)?.text ?? DEFAULT_NAMESPACE
  }

  /** The services of a namespace. @param namespace not `default` */
  get(namespace: string): Term | undefined {
    return this.#services.get(namespace)
  }

  /** How many active services are outside `default`. */
  get activeTotal(): number {
    return this.#activeTotal
  }

  activeIn(namespace: string): number {
    return this.#active.get(namespace) ?? 0
  }

  add(number: number, namespace: string | undefined, active: boolean): void {
    if (namespace === undefined || namespace === DEFAULT_NAMESPACE) return
    const term = this.#services.add(namespace, number)
    if (term.size === 1) this.names.add(term.text)
    this.#termOf.set(number, term)
    if (active) this.#countActive(term.text, 1)
  }

  remove(number: number, active: boolean): void {
    const term = this.#termOf.get(number)
    if (term === undefined) return
    this.#termOf.delete(number)
    const { text } = term
    if (active) this.#countActive(text, -1)
    if (!this.#services.delete(text, number)) return
    this.names.delete(text)
    this.#active.delete(text)
  }

  #countActive(namespace: string, by: 1 | -1): void {
    this.#active.set(namespace, this.activeIn(namespace) + by)
    this.#activeTotal += by
  }
}
