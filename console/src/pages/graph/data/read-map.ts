import type { z } from 'zod'
import type { overviewSchema } from '../../../../../src/http/answering/overview-schema.ts'
import { api } from '../../../api/client.ts'
import type { GraphAnswer } from '../../../api/types.ts'
import { type Group, type GroupedMap, type Grouping, groupId } from '../../../drawing/map/grouped-map.ts'
import { type MapItem, type MapLink, MOST_ITEMS } from '../../../drawing/map/map-graph.ts'
import { joined } from '../../../drawing/model/drawn-graph.ts'
import { tonesOf } from '../../../drawing/model/tones.ts'
import { shownText } from '../../../drawing/text/shown-text.ts'
import { type Moment, type ReadGraph, readGraph } from './read-graph.ts'
import { noHealth } from './read-health.ts'
import { toDrawn } from './to-drawn.ts'

/** What a map is made of. */
export interface ReadMap {
  readonly read: ReadGraph
  /** Of a graph that is too large to be read: the groups that the coordinator made. */
  readonly groups?: GroupedMap
}

export interface MapWanted {
  readonly groupBy: Grouping
  readonly opened: readonly string[]
}

type Overview = z.infer<typeof overviewSchema>

/** The most groups of a map, and the most nodes of an opened one. */
const [MOST_GROUPS, MOST_OPENED] = [500, 1_000]
/** The groups to which `GET /knowledge-graph` can be restricted. In a large graph, only these can be opened. */
const OPENED_BY: Readonly<Partial<Record<Grouping, string>>> = {
  namespace: 'namespace',
  tag: 'tag',
  type: 'nodeType',
}

/** Reads the whole graph where a map can show it, and else the groups that the coordinator makes. */
export async function readMap(moment: Moment, wanted: MapWanted, signal: AbortSignal): Promise<ReadMap> {
  const read = await readGraph(moment, undefined, signal, MOST_ITEMS)
  if (read.whole) return { read }
  const groupBy = wanted.groupBy === 'none' ? 'namespace' : wanted.groupBy
  const query = { ...moment, groupBy, limit: MOST_GROUPS }
  const overview = await api.get<Overview>('/knowledge-graph/overview', { query, signal })
  const parameter = OPENED_BY[groupBy]
  const opened = parameter === undefined ? [] : wanted.opened.filter((value) => value !== '')
  const parts = []
  for (const value of opened) {
    const part = { ...moment, limit: MOST_OPENED, [parameter ?? '']: value }
    const { knowledgeGraph } = await api.get<GraphAnswer>('/knowledge-graph', { query: part, signal })
    parts.push(toDrawn(knowledgeGraph.nodes, knowledgeGraph.edges, noHealth))
  }
  const graph = joined(parts)
  const open = new Set(opened.map((value) => `value:${value}`))
  const groups = overview.groups.map(groupOf)
  const items: MapItem[] = overview.groups.flatMap(({ id, nodes }, at) =>
    open.has(id)
      ? []
      : [
          {
            id: groupId(groups[at]?.value ?? ''),
            label: labelOf(overview.groups[at], groupBy),
            count: nodes,
            tone: at > 7 ? 'plain' : `c${at}`,
          },
        ],
  )
  const tones = tonesOf(graph, 'type')
  for (const node of graph.nodes.slice(0, MOST_ITEMS - items.length))
    items.push({ id: node.id, label: shownText(node.label), count: 1, tone: tones.of(node), group: groupBy })
  const circle = (id: string) =>
    groupId(groups[overview.groups.findIndex((group) => group.id === id)]?.value ?? '')
  const links: MapLink[] = [
    ...overview.edges
      .filter(({ source, target }) => source !== target)
      .map(({ source, target, edges }) => ({ source: circle(source), target: circle(target), count: edges })),
    ...graph.edges.map(({ source, target }) => ({ source, target, count: 1 })),
  ]
  return { read: { ...read, graph }, groups: { map: { items, links }, groups } }
}

function groupOf({ id, value, nodes, unresolved, health }: Overview['groups'][number]): Group {
  const unwell = health.down + health.expired
  // Groups without a value have names that no value has: a value never begins with a space and a bracket.
  return { value: value ?? (id === 'none' ? '' : ' (others)'), size: nodes, unresolved, unwell }
}

function labelOf(group: Overview['groups'][number] | undefined, groupBy: Grouping): string {
  if (group === undefined) return ''
  const { kind, value = '', nodes, groups = 0 } = group
  const name = kind === 'none' ? `no ${groupBy}` : kind === 'others' ? `${groups} other groups` : value
  return `${shownText(name)} (${nodes.toLocaleString('en')})`
}
