import type { Content, KubernetesObject } from './manifests.ts'

/** Kinds of the Prometheus Operator. Their schema is not part of Kubernetes. */
const others = ['monitoring.coreos.com/v1']

/**
 * What the API of Kubernetes would refuse in an object: wrong types and missing members, as the validators of `kubernetes-models`
 * find them, and members that do not exist. The validators overlook those, so this notices which members they never look at.
 */
export async function schemaFaults(object: KubernetesObject): Promise<string[]> {
  const name = `${object.kind} ${object.metadata.name}`
  if (others.includes(object.apiVersion)) return []
  const kinds = await import(/* @vite-ignore */ `kubernetes-models/${object.apiVersion}`)
  const model = kinds[object.kind]
  if (model === undefined) return [`${name}: ${object.apiVersion} has no such kind`]
  const watched: Watched[] = []
  try {
    model.prototype.validate.call(watch(object, '', watched))
  } catch (thrown) {
    return [`${name}: ${(thrown as Error).message}`]
  }
  return watched.flatMap(({ path, content, read }) =>
    Object.keys(content)
      .filter((key) => !read.has(key))
      .map((key) => `${name}: ${path}/${key} does not exist`),
  )
}

interface Watched {
  readonly path: string
  readonly content: object
  readonly read: ReadonlySet<string>
}

/** The same value, which remembers the members of each object that somebody has read. */
function watch(value: Content, path: string, watched: Watched[]): Content {
  if (value === null || typeof value !== 'object') return value
  const read = new Set<string>()
  if (!Array.isArray(value)) watched.push({ path, content: value, read })
  const members = new Map<string, Content>()
  return new Proxy(value, {
    get(target, key) {
      if (typeof key !== 'string' || !Object.hasOwn(target, key)) return Reflect.get(target, key)
      read.add(key)
      if (!members.has(key)) members.set(key, watch(target[key], `${path}/${key}`, watched))
      return members.get(key)
    },
    // A map, such as labels: any member may be there.
    ownKeys(target) {
      for (const key of Object.keys(target)) read.add(key)
      return Reflect.ownKeys(target)
    },
  })
}
