import type { PlainGraph } from './plain-graph.ts'

/** Answers found in the most obvious way, on maps of objects: small graphs only. */

export function stepsFrom(graph: PlainGraph, direction: 'needs' | 'neededBy') {
  const next = new Map<string, Set<string>>()
  for (const id of graph.nodes.keys()) next.set(id, new Set())
  for (const { from, to } of graph.edges.values())
    if (direction === 'needs') next.get(from)?.add(to)
    else next.get(to)?.add(from)
  return next
}

/** Distance of everything that is reached, without the start. */
export function distances(graph: PlainGraph, start: string, direction: 'needs' | 'neededBy') {
  const next = stepsFrom(graph, direction)
  const found = new Map([[start, 0]])
  for (const [id, distance] of found)
    for (const other of next.get(id) ?? []) if (!found.has(other)) found.set(other, distance + 1)
  found.delete(start)
  return found
}

/** Every simple path, by length and then by ids. */
export function simplePaths(graph: PlainGraph, from: string, to: string): readonly (readonly string[])[] {
  if (from === to) return [[from]]
  const next = stepsFrom(graph, 'needs')
  const found: string[][] = []
  const walk = (path: string[]) => {
    for (const id of next.get(path.at(-1) as string) ?? []) {
      if (path.includes(id)) continue
      if (id === to) found.push([...path, id])
      else walk([...path, id])
    }
  }
  walk([from])
  return found.sort((left, right) => left.length - right.length || compareLists(left, right))
}

function compareLists(left: readonly string[], right: readonly string[]): number {
  const at = left.findIndex((id, place) => id !== right[place])
  return at === -1 ? 0 : (left[at] as string) < (right[at] as string) ? -1 : 1
}

/** Groups in which each reaches each; single nodes only where they need themselves. Largest first, then by first id. */
export function stronglyConnected(graph: PlainGraph): readonly (readonly string[])[] {
  const ids = [...graph.nodes.keys()].sort()
  const reached = new Map(ids.map((id) => [id, new Set(distances(graph, id, 'needs').keys())]))
  const groups: string[][] = []
  const grouped = new Set<string>()
  for (const id of ids) {
    if (grouped.has(id)) continue
    const group = ids.filter(
      (other) => other === id || (reached.get(id)?.has(other) && reached.get(other)?.has(id)),
    )
    for (const member of group) grouped.add(member)
    const needsItself = [...graph.edges.values()].some(({ from, to }) => from === id && to === id)
    if (group.length > 1 || needsItself) groups.push(group)
  }
  return groups.sort(
    (left, right) => right.length - left.length || ((left[0] as string) < (right[0] as string) ? -1 : 1),
  )
}

/** For each node how many others leave the largest remaining part of its component when it is taken out. */
export function cutsOff(graph: PlainGraph): ReadonlyMap<string, number> {
  const next = stepsFrom(graph, 'needs')
  for (const { from, to } of graph.edges.values()) next.get(to)?.add(from)
  const partOf = (start: string, without: string | undefined) => {
    const found = new Set([start])
    for (const id of found) for (const other of next.get(id) ?? []) if (other !== without) found.add(other)
    return found
  }
  const cut = new Map<string, number>()
  for (const id of graph.nodes.keys()) {
    const others = partOf(id, undefined)
    others.delete(id)
    let largest = 0
    for (const other of others) largest = Math.max(largest, partOf(other, id).size)
    if (others.size - largest > 0) cut.set(id, others.size - largest)
  }
  return cut
}
