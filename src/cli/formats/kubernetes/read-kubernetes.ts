import { LIMITS } from '../../../records/limits.ts'
import { DEFAULT_NAMESPACE } from '../../../records/service/namespace.ts'
import { chooseHealthCheck } from '../reading/choose-endpoint.ts'
import { textsOf, wordOf } from '../reading/file-value.ts'
import { findReferences } from '../reading/find-references.ts'
import type { ReadingBuilder } from '../reading/format-reading.ts'
import { schemeOfWord } from '../reading/known-transports.ts'
import { makeMetadata } from '../reading/make-metadata.ts'
import { Needs } from '../reading/needs.ts'
import { parseImage, UNVERSIONED } from '../reading/parse-image.ts'
import type { FileDocuments } from '../reading/read-documents.ts'
import { configMapKey, SettingsReader } from './container-settings.ts'
import { allContainers, findProbe, mainContainer, mainPort } from './kubernetes-endpoint.ts'
import { ClusterNames, serveWorkloads } from './kubernetes-names.ts'
import { isService, type KubernetesObject, kubernetesObjects, type Pod } from './kubernetes-object.ts'

export interface KubernetesOptions {
  /** Takes the place of all namespaces of the file. */
  readonly namespace?: string | undefined
}

/**
 * Reads manifests. A Service becomes one registration for each workload that it selects, under the name of the Service, because that is the
 * name by which others call it. A workload that no Service selects becomes one under its own name.
 */
export function readKubernetes(
  { documents, lines }: FileDocuments,
  options: KubernetesOptions,
  reading: ReadingBuilder,
): void {
  const objects = kubernetesObjects(documents, lines, reading)
  const workloads = objects.filter(({ pod }) => pod !== undefined) as readonly Workload[]
  const served = serveWorkloads(objects.filter(isService), workloads, reading)
  const names = new ClusterNames(served, objects, options.namespace)
  const settings = new SettingsReader(
    new Map(
      objects
        .filter(({ kind }) => kind === 'ConfigMap')
        .map(({ namespace, name, source }) => [configMapKey(namespace, name), textsOf(source['data'])]),
    ),
    reading,
  )
  /** The schemes with which services are called. */
  const called = new Map<string, string>()
  const needs = new Map(
    workloads.map((workload) => [workload, needsOf(workload, { names, settings, called, reading })]),
  )
  const alone = new Set<KubernetesObject>(workloads)
  for (const service of served) {
    for (const workload of service.workloads) {
      alone.delete(workload)
      add(service.service, workload, service.aliases)
    }
    if (service.workloads.length === 0) add(service.service, undefined, service.aliases)
  }
  for (const workload of workloads) if (alone.has(workload)) add(workload, workload, [])

  /** @param named gives the service its name: a Service, or the workload itself */
  function add(named: KubernetesObject, workload: Workload | undefined, aliases: readonly string[]): void {
    const namespace = names.namespaceOf(named.namespace)
    const isCalled = named !== workload
    const container = workload && mainContainer(workload.pod)
    const main = isCalled
      ? mainPort(named, container, (port) =>
          called.get(callKey({ namespace, serviceName: named.name }, port)),
        )
      : undefined
    const host = isCalled ? hostOf(named) : named.name
    const endpoint = main === undefined ? `tcp://${host}` : `${main.scheme}://${host}:${main.port}`
    const healthCheck = chooseHealthCheck(endpoint, container && findProbe(container, main))
    const labels = new Map([...named.labels, ...(workload?.labels ?? []), ...(workload?.pod.labels ?? [])])
    const described = workload ?? named
    const image = container && wordOf(container['image'])
    reading.addService(described.where, {
      serviceName: named.name,
      instanceId: `${described.kind.toLowerCase()}/${described.name}`,
      version: versionOf(labels, image),
      endpoint,
      ...(healthCheck !== undefined && { healthCheck }),
      ...(namespace !== DEFAULT_NAMESPACE && { namespace }),
      metadata: makeMetadata(
        {
          ...(image !== undefined && { image }),
          kind: described.kind,
          ...(described.name !== named.name && { workload: described.name }),
          ...(aliases.length > 0 && { otherNames: aliases.slice(0, 64) }),
        },
        labels,
        { where: described.where, reading },
      ),
      tags: tagsOf(labels),
      dependencies:
        workload === undefined
          ? []
          : (needs.get(workload) as Needs).list(named.name, described.where, reading),
    })
    if (isCalled && workload === undefined && wordOf(named.spec['externalName']) === undefined)
      reading.cannotKnow(
        named.where,
        'nothing in this file has the labels that it selects: its version and dependencies are not known',
      )
  }
}

type Workload = KubernetesObject & { readonly pod: Pod }

/** The host name of a Service. It works in every cluster, whatever the domain of the cluster is. */
function hostOf({ name, namespace, spec }: KubernetesObject): string {
  return wordOf(spec['externalName']) ?? (namespace === undefined ? name : `${name}.${namespace}.svc`)
}

function versionOf(labels: ReadonlyMap<string, string>, image: string | undefined): string {
  const said = labels.get('app.kubernetes.io/version') ?? labels.get('version')
  if (said !== undefined && said !== '') return said
  if (image === undefined) return UNVERSIONED
  const { tag, digest } = parseImage(image)
  return tag ?? digest ?? 'latest'
}

function tagsOf(labels: ReadonlyMap<string, string>): readonly string[] {
  const tags = ['app.kubernetes.io/part-of', 'app.kubernetes.io/component'].map((label) => labels.get(label))
  return [...new Set(tags.filter((tag) => tag !== undefined && tag.trim() !== ''))].slice(
    0,
    LIMITS.tags,
  ) as string[]
}

interface NeedsContext {
  readonly names: ClusterNames
  readonly settings: SettingsReader
  /** Gets the schemes with which services are called. */
  readonly called: Map<string, string>
  readonly reading: ReadingBuilder
}

/** The services that the settings of a workload name. */
function needsOf(workload: Workload, { names, settings, called, reading }: NeedsContext): Needs {
  const needs = new Needs()
  const own = names.namespaceOf(workload.namespace)
  for (const container of allContainers(workload.pod)) {
    for (const setting of settings.read(container, workload.namespace)) {
      if (setting.text.includes('{{'))
        reading.cannotKnow(
          `${workload.where}, ${setting.name || 'an argument'}`,
          'its text is a template with {{ }}',
        )
      for (const { host, port, scheme } of findReferences(setting)) {
        const found = names.find(host, workload.namespace)
        if (found === undefined) continue
        const type = scheme && schemeOfWord(scheme)
        needs.add({ ...found, type })
        const { serviceName, namespace = own } = found
        if (type !== undefined && port !== undefined)
          called.set(callKey({ namespace, serviceName }, port), type)
      }
    }
  }
  return needs
}

function callKey(
  service: { readonly namespace: string; readonly serviceName: string },
  port: number,
): string {
  return `${service.namespace}/${service.serviceName}:${port}`
}
