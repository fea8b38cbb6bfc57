import type { DrawnGraph, DrawnNode } from '../model/drawn-graph.ts'
import { healthWord, type Tones } from '../model/tones.ts'
import { shownText } from '../text/shown-text.ts'
import type { MapGraph, MapItem, MapLink } from './map-graph.ts'

export type Grouping = 'namespace' | 'owner' | 'tag' | 'type' | 'health' | 'none'

/** A group of nodes as one circle. */
export interface Group {
  /** As in the address: `open=shop`. Empty for nodes without a value. */
  readonly value: string
  readonly size: number
  readonly unresolved: number
  readonly unwell: number
}

export interface GroupedMap {
  readonly map: MapGraph
  readonly groups: readonly Group[]
}

/** The id of a group's circle. No id of a node begins with a space. */
export function groupId(value: string): string {
  return ` ${value}`
}

/** The group of a circle; `undefined` for the circle of a node. */
export function groupOfId(id: string): string | undefined {
  return id.startsWith(' ') ? id.slice(1) : undefined
}

/**
 * Puts the nodes of a graph together. Opened groups are drawn node by node.
 *
 * @param tones the colours of single nodes; groups get theirs by size
 */
export function groupedMap(
  graph: DrawnGraph,
  {
    groupBy,
    opened,
    tones,
  }: { readonly groupBy: Grouping; readonly opened: readonly string[]; readonly tones: Tones },
): GroupedMap {
  const members =
    groupBy === 'none'
      ? new Map<string, DrawnNode[]>()
      : Map.groupBy(graph.nodes, (node) => valueOfNode(node, groupBy))
  const groups = [...members].map(([value, nodes]) => groupOf(value, nodes)).sort(largestFirst)
  const open = new Set(opened)
  const circles = new Map<string, string>()
  const items: MapItem[] = []
  for (const [at, { value, size }] of groups.entries())
    if (!open.has(value)) {
      const label = `${shownText(value === '' ? `no ${groupBy}` : value)} (${size})`
      items.push({
        id: groupId(value),
        label,
        count: size,
        tone: value === '' || at > 7 ? 'plain' : `c${at}`,
      })
      for (const { id } of members.get(value) ?? []) circles.set(id, groupId(value))
    }
  for (const node of graph.nodes)
    if (!circles.has(node.id)) {
      const group = groupBy === 'none' ? {} : { group: groupId(valueOfNode(node, groupBy)) }
      items.push({ id: node.id, label: shownText(node.label), count: 1, tone: tones.of(node), ...group })
      circles.set(node.id, node.id)
    }
  return { map: { items, links: linksBetween(graph, circles) }, groups }
}

function groupOf(value: string, nodes: readonly DrawnNode[]): Group {
  return {
    value,
    size: nodes.length,
    unresolved: nodes.filter(({ unresolved }) => unresolved).length,
    unwell: nodes.filter(({ health }) => health === 'down' || health === 'expired').length,
  }
}

function largestFirst(one: Group, other: Group): number {
  return other.size - one.size || (one.value < other.value ? -1 : 1)
}

function valueOfNode(node: DrawnNode, groupBy: Exclude<Grouping, 'none'>): string {
  if (groupBy === 'tag') return node.tags[0] ?? ''
  if (groupBy === 'health') return healthWord(node)
  return node[groupBy] ?? ''
}

/** One link for all edges between two circles. Edges within a circle are not drawn. */
function linksBetween({ edges }: DrawnGraph, circles: ReadonlyMap<string, string>): readonly MapLink[] {
  const links = new Map<string, { source: string; target: string; count: number }>()
  for (const edge of edges) {
    const [source, target] = [circles.get(edge.source), circles.get(edge.target)]
    if (source === undefined || target === undefined || source === target) continue
    const key = JSON.stringify([source, target])
    const known = links.get(key)
    if (known === undefined) links.set(key, { source, target, count: 1 })
    else known.count += 1
  }
  return [...links.values()]
}
