import type { NamespaceSizes } from '../model/namespace-sizes.ts'

/** The largest number of namespaces on a page, and the default. */
export const NAMESPACES_LIMIT = 1_000

export interface NamespacesQuery {
  /** @default NAMESPACES_LIMIT */
  readonly limit?: number
  /** Only namespaces after this one. */
  readonly cursor?: string
}

export interface NamespaceNodes {
  readonly namespace: string
  /** How many nodes of the graph are in it. */
  readonly nodes: number
}

export interface NodeNamespaces {
  /** In order of their names. */
  readonly namespaces: readonly NamespaceNodes[]
  /** How many there are on all pages. */
  readonly total: number
  /** Pass it as `cursor` for the next page; absent on the last one. */
  readonly nextCursor?: string
}

/** The namespaces that have nodes: those of services, and those of what others assert or need. */
export function listNamespaces(
  sizes: NamespaceSizes,
  { limit = NAMESPACES_LIMIT, cursor = '' }: NamespacesQuery = {},
): NodeNamespaces {
  const names: string[] = []
  for (const name of namesAfter(sizes, cursor)) if (names.push(name) > limit) break
  const more = names.length > limit
  if (more) names.pop()
  return {
    namespaces: names.map((namespace) => ({ namespace, nodes: sizes.of(namespace) })),
    total: sizes.names.size,
    ...(more ? { nextCursor: names.at(-1) as string } : {}),
  }
}

function* namesAfter(sizes: NamespaceSizes, after: string): Generator<string> {
  for (const chunk of sizes.names.chunks) {
    if ((chunk.at(-1) as string) <= after) continue
    for (const name of chunk) if (name > after) yield name
  }
}
