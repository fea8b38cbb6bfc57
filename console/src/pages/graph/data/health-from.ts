import type { Health } from '../../../drawing/model/drawn-graph.ts'

/** The services of one health, by the ids of their nodes. */
interface HealthList {
  readonly health: Health
  readonly names: readonly string[]
  readonly cut: boolean
}

/** The health of each node. @param lists the most urgent health first */
export function healthFrom(lists: readonly HealthList[]): (id: string) => Health | undefined {
  const known = new Map<string, Health>()
  for (const { health, names } of lists)
    for (const name of names) if (!known.has(name)) known.set(name, health)
  const cut = lists.filter((list) => list.cut)
  const rest = cut.length === 1 ? cut[0]?.health : undefined
  return (id) => known.get(id) ?? rest
}
