import { DEFAULT_NAMESPACE } from '../../../records/service/namespace.ts'
import { textsOf, wordOf } from '../reading/file-value.ts'
import { MEMBER_EFFORT, type ReadingBuilder } from '../reading/format-reading.ts'
import { readNamespace } from '../reading/read-namespace.ts'
import type { KubernetesObject, Pod } from './kubernetes-object.ts'

type Workload = KubernetesObject & { readonly pod: Pod }

/** A Service, and the workloads of the file whose pods it selects. */
export interface ServedService {
  readonly service: KubernetesObject
  readonly workloads: readonly Workload[]
  /** Other Services that select the same workloads. */
  readonly aliases: readonly string[]
}

/**
 * Finds the workloads behind each Service. Services with the same selector, such as one for clients outside of the cluster or one without
 * an address, are further names of one service.
 */
export function serveWorkloads(
  services: readonly KubernetesObject[],
  workloads: readonly Workload[],
  reading: ReadingBuilder,
): readonly ServedService[] {
  const byLabel = new Map<string, Workload[]>()
  for (const workload of workloads)
    for (const [key, value] of workload.pod.labels) {
      const label = labelKey(workload.namespace, key, value)
      const having = byLabel.get(label) ?? []
      having.push(workload)
      byLabel.set(label, having)
    }
  const groups = new Map<string, { services: KubernetesObject[]; workloads: readonly Workload[] }>()
  const selections = new Map<string, Selection>()
  for (const service of services) {
    const selector = [...textsOf(service.spec['selector'])].sort(([left], [right]) => (left < right ? -1 : 1))
    const selectorKey = JSON.stringify([service.namespace ?? '', selector])
    const selection = selections.get(selectorKey) ?? select(service.namespace, selector)
    selections.set(selectorKey, selection)
    const key =
      selection.workloads.length === 0 ? `${service.namespace ?? ''}/${service.name}` : selection.key
    const group = groups.get(key) ?? { services: [], workloads: selection.workloads }
    group.services.push(service)
    groups.set(key, group)
  }
  return [...groups.values()].map(({ services: [...group], workloads: selected }) => {
    const [service, ...others] = group.sort((left, right) => rank(left) - rank(right)) as [KubernetesObject]
    return { service, workloads: selected, aliases: others.map(({ name }) => name) }
  })

  function select(
    namespace: string | undefined,
    selector: readonly (readonly [string, string])[],
  ): Selection {
    let fewest: readonly Workload[] | undefined
    for (const [key, value] of selector) {
      const having = byLabel.get(labelKey(namespace, key, value)) ?? []
      if (fewest === undefined || having.length < fewest.length) fewest = having
    }
    reading.spend(MEMBER_EFFORT * (fewest?.length ?? 0) * (selector.length + 1))
    const selected = (fewest ?? []).filter(({ pod }) =>
      selector.every(([key, value]) => pod.labels.get(key) === value),
    )
    const names = selected.map(({ kind, name }) => `${kind}/${name}`)
    return { workloads: selected, key: JSON.stringify([namespace ?? '', names]) }
  }
}

interface Selection {
  readonly workloads: readonly Workload[]
  /** Equal for equal workloads. */
  readonly key: string
}

function labelKey(namespace: string | undefined, key: string, value: string): string {
  return JSON.stringify([namespace ?? '', key, value])
}

/** Clients in the cluster use a Service with an address of its own, rather than one for pods or for clients outside. */
function rank({ spec }: KubernetesObject): number {
  if (wordOf(spec['clusterIP']) === 'None') return 1
  const type = wordOf(spec['type'])
  return type === undefined || type === 'ClusterIP' ? 0 : 2
}

/** Finds the services that host names in a cluster mean. */
export class ClusterNames {
  readonly #services = new Map<string, string>()
  readonly #namespaces: ReadonlySet<string | undefined>
  readonly #instead: string | undefined

  /** @param instead takes the place of all namespaces of the file */
  constructor(
    served: readonly ServedService[],
    objects: readonly KubernetesObject[],
    instead: string | undefined,
  ) {
    this.#namespaces = new Set(objects.map(({ namespace }) => namespace))
    this.#instead = instead
    for (const { service, aliases } of served)
      for (const name of [service.name, ...aliases])
        this.#services.set(keyOf(name, service.namespace), service.name)
  }

  /** The namespace of the coordinator for one of the file. */
  namespaceOf(namespace: string | undefined): string {
    return this.#instead ?? readNamespace(namespace)
  }

  /**
   * The service that a host name means for a pod in a namespace: `cart`, `cart.shop`, `cart.shop.svc`, `cart.shop.svc.cluster.local`, or one
   * of these behind the name of a pod. A name with `svc` needs no Service in this file.
   */
  find(
    host: string,
    own: string | undefined,
  ): { readonly serviceName: string; readonly namespace?: string } | undefined {
    const labels = host.toLowerCase().split('.', 6)
    const svc = labels.indexOf('svc', 2)
    if (svc > 0) {
      const [name, namespace] = [labels[svc - 2] as string, labels[svc - 1] as string]
      return this.#at(this.#services.get(keyOf(name, namespace)) ?? name, namespace, own)
    }
    const [first = '', second, third] = labels
    const same = this.#services.get(keyOf(first, own))
    if (second === undefined) return same === undefined ? undefined : { serviceName: same }
    const other = third === undefined ? this.#services.get(keyOf(first, second)) : undefined
    if (other !== undefined) return this.#at(other, second, own)
    // A pod of a StatefulSet: `db-0.db`.
    const behind = third === undefined ? this.#services.get(keyOf(second, own)) : undefined
    return behind === undefined || !first.startsWith(`${second}-`) ? undefined : { serviceName: behind }
  }

  #at(serviceName: string, namespace: string, own: string | undefined) {
    const moved = this.#instead !== undefined && this.#namespaces.has(namespace)
    const there = moved ? (this.#instead as string) : readNamespace(namespace)
    return { serviceName, ...(there !== this.namespaceOf(own) && { namespace: there }) }
  }
}

function keyOf(name: string, namespace: string | undefined): string {
  return `${namespace ?? DEFAULT_NAMESPACE}/${name.toLowerCase()}`
}
