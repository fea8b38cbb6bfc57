import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { parse, parseAllDocuments } from 'yaml'

/** Every folder that a user may apply. */
export const overlays = ['deploy/kubernetes/overlays/postgres', 'deploy/kubernetes/overlays/sqlite'] as const
export const monitoring = 'deploy/kubernetes/monitoring'

// biome-ignore lint/suspicious/noExplicitAny: the schema of each kind checks what is in it
export type Content = any

export interface KubernetesObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly labels?: Record<string, string>
  }
  readonly spec?: Content
}

interface Kustomization {
  readonly namespace?: string
  readonly resources?: readonly string[]
  readonly images?: readonly { readonly name: string }[]
  readonly configMapGenerator?: readonly { readonly name: string; readonly envs?: readonly string[] }[]
}

/** What `kubectl apply -k FOLDER` would send, before images and names of generated maps are replaced. */
export interface Applied {
  readonly objects: KubernetesObject[]
  readonly images: string[]
  readonly configMaps: string[]
  /** The variables of the generated maps. */
  readonly settings: Record<string, string>
  /** Files that nobody lists, and entries that these tests do not understand. */
  readonly faults: string[]
}

/** What these manifests use of Kustomize. Where `kubectl` is installed, a test compares the result with its own. */
const understood = ['apiVersion', 'kind', 'namespace', 'resources', 'images', 'configMapGenerator']

export function readFolder(folder: string): Applied {
  const kustomization: Kustomization = parse(readFileSync(join(folder, 'kustomization.yaml'), 'utf8'))
  const { resources = [], images = [], configMapGenerator = [] } = kustomization
  const envs = configMapGenerator.flatMap((generator) => generator.envs ?? [])
  const parts = resources.map((resource) => {
    const path = join(folder, resource)
    return statSync(path).isDirectory() ? readFolder(path) : readFile(path)
  })
  const unknown = Object.keys(kustomization).filter((key) => !understood.includes(key))
  const unlisted = readdirSync(folder).filter(
    (file) => file !== 'kustomization.yaml' && ![...resources, ...envs].includes(file),
  )
  return {
    objects: parts.flatMap(({ objects }) => objects),
    images: [...parts.flatMap((part) => part.images), ...images.map(({ name }) => name)],
    configMaps: [...parts.flatMap((part) => part.configMaps), ...configMapGenerator.map(({ name }) => name)],
    settings: Object.assign(
      {},
      ...parts.map((part) => part.settings),
      ...envs.map((env) => readEnv(join(folder, env))),
    ),
    faults: [
      ...parts.flatMap((part) => part.faults),
      ...unknown.map((key) => `${folder}/kustomization.yaml: ${key} is not understood`),
      ...unlisted.map((file) => `${relative('.', join(folder, file))} is not listed`),
    ],
  }
}

function readFile(path: string): Applied {
  const documents = parseAllDocuments(readFileSync(path, 'utf8'), { uniqueKeys: true })
  const faults = documents.flatMap(({ errors }) => errors.map(({ message }) => `${path}: ${message}`))
  return { objects: documents.map((each) => each.toJS()), images: [], configMaps: [], settings: {}, faults }
}

/** A file of variables as Kustomize reads it: no quotation marks, and `#` only begins a line. */
function readEnv(path: string): Record<string, string> {
  const lines = readFileSync(path, 'utf8').split('\n')
  const set = lines.filter((line) => line !== '' && !line.startsWith('#'))
  return Object.fromEntries(
    set.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  )
}

/** The object that runs pods. */
export function workloadOf(objects: readonly KubernetesObject[]): KubernetesObject {
  const workload = objects.find(({ kind }) => kind === 'Deployment' || kind === 'StatefulSet')
  if (workload === undefined) throw new Error('nothing runs pods')
  return workload
}
