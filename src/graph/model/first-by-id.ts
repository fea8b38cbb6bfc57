import type { GraphReader } from './graph-reader.ts'

/**
 * The first nodes in the order of their ids, without sorting all of them. Answers that cannot list everything choose this
 * way, so that every coordinator chooses the same.
 */
export function firstById(graph: GraphReader, nodes: Iterable<number>, count: number): number[] {
  let kept: { readonly id: string; readonly node: number }[] = []
  let last: string | undefined
  for (const node of nodes) {
    const id = graph.idOf(node)
    if (last !== undefined && id > last) continue
    kept.push({ id, node })
    if (kept.length < count * 2 + 64) continue
    kept = kept.sort(byId).slice(0, count)
    last = kept.at(-1)?.id ?? ''
  }
  return kept
    .sort(byId)
    .slice(0, count)
    .map(({ node }) => node)
}

function byId(left: { readonly id: string }, right: { readonly id: string }): number {
  return left.id < right.id ? -1 : 1
}
