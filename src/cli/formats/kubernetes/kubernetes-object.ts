import { isJsonObject, type JsonObject, type JsonValue } from '../../../records/canonical-json.ts'
import { listOf, mapOf, textsOf, wordOf } from '../reading/file-value.ts'
import type { ReadingBuilder } from '../reading/format-reading.ts'
import { type FileDocument, type Lines, TEMPLATE_FAULT } from '../reading/read-documents.ts'

/** An object of a manifest that has a name. */
export interface KubernetesObject {
  /** For people: `line 12: Deployment cart`. */
  readonly where: string
  readonly kind: string
  readonly name: string
  /** As the manifest says it; `undefined` for the namespace that `kubectl` is told. */
  readonly namespace: string | undefined
  readonly labels: ReadonlyMap<string, string>
  readonly source: JsonObject
  readonly spec: JsonObject
  /** The template of its pods, if it runs any. */
  readonly pod: Pod | undefined
}

/** What a workload runs. */
export interface Pod {
  readonly labels: ReadonlyMap<string, string>
  readonly annotations: ReadonlyMap<string, string>
  readonly spec: JsonObject
}

/** Kinds that describe no service and call none. Every other kind that is not read is listed. */
const silentKinds = new Set([
  ...['Namespace', 'ConfigMap', 'Secret', 'ServiceAccount', 'PersistentVolumeClaim', 'PersistentVolume'],
  ...[
    'Role',
    'RoleBinding',
    'ClusterRole',
    'ClusterRoleBinding',
    'StorageClass',
    'PriorityClass',
    'LimitRange',
  ],
  ...[
    'ResourceQuota',
    'NetworkPolicy',
    'PodDisruptionBudget',
    'HorizontalPodAutoscaler',
    'PodSecurityPolicy',
  ],
  ...[
    'CustomResourceDefinition',
    'Endpoints',
    'EndpointSlice',
    'ControllerRevision',
    'Event',
    'Lease',
    'Node',
  ],
])

/** The objects of all documents: lists are unfolded, and what another object of the file makes is left out. */
export function kubernetesObjects(
  documents: readonly FileDocument[],
  lines: Lines,
  reading: ReadingBuilder,
): readonly KubernetesObject[] {
  const objects: KubernetesObject[] = []
  const others = new Map<string, number>()
  for (const { where, value, fault } of documents) {
    if (fault === undefined) unfold(value ?? null, where)
    else reading.cannotRead(where, fault)
  }
  // No import reads such a kind, so what the file lists is as complete as it was before.
  for (const [kind, count] of others)
    reading.cannotKnow(
      `${count} of kind ${kind}`,
      'not read, although this kind may name services and dependencies',
    )
  const made = new Set(objects.map(({ kind, namespace, name }) => `${kind}/${namespace}/${name}`))
  return objects.filter(({ source, namespace }) =>
    listOf(mapOf(source['metadata'])['ownerReferences']).every(
      (owner) => !made.has(`${wordOf(mapOf(owner)['kind'])}/${namespace}/${wordOf(mapOf(owner)['name'])}`),
    ),
  )

  function unfold(value: JsonValue, documentPlace: string): void {
    if (Array.isArray(value)) {
      for (const item of value) unfold(item, documentPlace)
      return
    }
    const line = isJsonObject(value) ? lines.get(value) : undefined
    const where = line === undefined ? documentPlace : `line ${line}`
    const kind = isJsonObject(value) ? wordOf(value['kind']) : undefined
    if (kind === undefined || !isJsonObject(value)) {
      reading.cannotRead(where, 'it is not an object with a kind')
      return
    }
    if (kind.endsWith('List') && Array.isArray(value['items'])) return unfold(value['items'], where)
    const object = readObject(kind, value, where)
    if (object.pod !== undefined || isService(object) || kind === 'ConfigMap') add(object)
    else if (!silentKinds.has(kind)) others.set(kind, (others.get(kind) ?? 0) + 1)
  }

  function add(object: KubernetesObject): void {
    if (object.kind !== 'ConfigMap' && isTemplate(object.source))
      reading.cannotRead(object.where, TEMPLATE_FAULT)
    else if (object.name === '') reading.cannotRead(object.where, 'it has no name')
    else objects.push(object)
  }
}

/** Services of Knative have the same kind, but run pods. */
export function isService({ kind, pod }: KubernetesObject): boolean {
  return kind === 'Service' && pod === undefined
}

function readObject(kind: string, source: JsonObject, where: string): KubernetesObject {
  const metadata = mapOf(source['metadata'])
  const name = wordOf(metadata['name']) ?? wordOf(metadata['generateName'])?.replace(/-+$/, '') ?? ''
  return {
    where: `${where}: ${kind} ${name}`.trimEnd(),
    kind,
    name,
    namespace: wordOf(metadata['namespace']),
    labels: textsOf(metadata['labels']),
    source,
    spec: mapOf(source['spec']),
    pod: podOf(kind, source),
  }
}

/** A pod, or the template of pods in a Deployment, a CronJob, or an object of another kind that is built like them. */
function podOf(kind: string, source: JsonObject): Pod | undefined {
  const spec = mapOf(source['spec'])
  const job = mapOf(mapOf(spec['jobTemplate'])['spec'])
  const pod = kind === 'Pod' ? source : mapOf(job['template'] ?? spec['template'])
  const podSpec = mapOf(pod['spec'])
  if (listOf(podSpec['containers']).length === 0) return undefined
  const metadata = mapOf(pod['metadata'])
  return { labels: textsOf(metadata['labels']), annotations: textsOf(metadata['annotations']), spec: podSpec }
}

/** Members whose texts programs in the container may read as templates of their own. */
const ownTexts = new Set(['env', 'args', 'command', 'annotations'])

/** Whether an object still has to be filled in, so that its names cannot be trusted. */
function isTemplate(value: JsonValue): boolean {
  if (typeof value === 'string') return /\{\{|\$\{/.test(value)
  if (Array.isArray(value)) return value.some(isTemplate)
  if (!isJsonObject(value)) return false
  return Object.entries(value).some(
    ([key, member]) => !ownTexts.has(key) && (isTemplate(key) || isTemplate(member)),
  )
}
