import { type Applied, type Content, type KubernetesObject, workloadOf } from './manifests.ts'

type Labels = Readonly<Record<string, string>>

/** Names in the objects that lead nowhere, and what nobody uses. `secrets` are those that the page makes. */
export function referenceFaults(applied: Applied, secrets: readonly string[]): string[] {
  const workload = workloadOf(applied.objects)
  const { metadata, spec: pod } = workload.spec.template
  const names = (kind: string) =>
    applied.objects.filter((object) => object.kind === kind).map((object) => object.metadata.name)
  const container = pod.containers[0]
  const volumes = pod.volumes?.map((volume: Content) => volume.name) ?? []
  const claims = workload.spec.volumeClaimTemplates?.map((claim: Content) => claim.metadata.name) ?? []
  const mounts = container.volumeMounts.map((mount: Content) => mount.name)
  return [
    ...missing('service account', [pod.serviceAccountName], names('ServiceAccount')),
    ...missing('service', [workload.spec.serviceName], names('Service')),
    ...missing('image', [container.image], applied.images),
    ...missing('image that is used', applied.images, [container.image]),
    ...missing(
      'config map',
      container.envFrom.map((from: Content) => from.configMapRef?.name),
      applied.configMaps,
    ),
    ...missing(
      'secret',
      pod.volumes?.map((volume: Content) => volume.secret?.secretName),
      secrets,
    ),
    ...missing('volume', mounts, [...volumes, ...claims]),
    ...missing('mount of the volume', [...volumes, ...claims], mounts),
    ...missing(
      'port',
      portNames(applied.objects),
      container.ports.map((port: Content) => port.name),
    ),
    ...applied.objects.flatMap((object) => selectorFaults(object, metadata.labels)),
  ]
}

function missing(
  what: string,
  wanted: readonly (string | undefined)[] = [],
  there: readonly string[],
): string[] {
  return wanted
    .filter((name) => name !== undefined && !there.includes(name))
    .map((name) => `no ${what} ${name}`)
}

/** Every port that an object names. */
function portNames(objects: readonly KubernetesObject[]): string[] {
  return objects
    .flatMap(({ kind, spec }): (string | undefined)[] => {
      if (kind === 'Service') return spec.ports.map((port: Content) => port.targetPort)
      if (kind === 'PodMonitor') return spec.podMetricsEndpoints.map((endpoint: Content) => endpoint.port)
      if (kind === 'NetworkPolicy')
        return (spec.ingress ?? []).flatMap((rule: Content) => rule.ports.map((port: Content) => port.port))
      if (spec?.template === undefined) return []
      const [container] = spec.template.spec.containers
      return [container.startupProbe, container.livenessProbe, container.readinessProbe].map(
        (probe) => probe?.httpGet.port,
      )
    })
    .filter((name) => name !== undefined)
}

/** Selectors that do not choose the pods. */
function selectorFaults({ kind, metadata, spec }: KubernetesObject, labels: Labels): string[] {
  const selectors: Content[] = [
    kind === 'Service' ? { matchLabels: spec.selector } : spec?.selector,
    spec?.podSelector,
    ...(spec?.template?.spec.topologySpreadConstraints ?? []).map((each: Content) => each.labelSelector),
  ]
  return selectors
    .filter((selector) => selector !== undefined)
    .filter(({ matchLabels = {} }) => {
      const wanted = Object.entries(matchLabels)
      return wanted.length === 0 || wanted.some(([name, value]) => labels[name] !== value)
    })
    .map(({ matchLabels }) => `${kind} ${metadata.name} chooses no pod: ${JSON.stringify(matchLabels)}`)
}
