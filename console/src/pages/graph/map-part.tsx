import { useMemo, useRef } from 'preact/hooks'
import { Legend } from '../../drawing/legend.tsx'
import { type Group, type GroupedMap, groupedMap, groupId, groupOfId } from '../../drawing/map/grouped-map.ts'
import { MOST_ITEMS } from '../../drawing/map/map-graph.ts'
import { MapView } from '../../drawing/map/map-view.tsx'
import { type DrawnGraph, EMPTY_GRAPH } from '../../drawing/model/drawn-graph.ts'
import { tonesOf } from '../../drawing/model/tones.ts'
import { shownText } from '../../drawing/text/shown-text.ts'
import { type Column, DataTable } from '../../parts/data-table.tsx'
import { Failure, Loading } from '../../parts/states.tsx'
import { Revision, Time } from '../../parts/time.tsx'
import { query, setQuery } from '../../state/location.ts'
import { theme } from '../../state/theme.ts'
import { useAsked } from '../../state/use-answer.ts'
import { type ReadMap, readMap } from './data/read-map.ts'
import type { GraphPlace } from './graph-place.ts'
import { EmptyGraph } from './parts/empty-graph.tsx'
import { ExportsMenu } from './parts/exports-menu.tsx'
import { GraphTables } from './parts/graph-tables.tsx'
import { NodePanel } from './parts/node-panel.tsx'

/** The whole graph as circles: at first groups, and the nodes of those that somebody opens. */
export function MapPart({ place }: { readonly place: GraphPlace }) {
  const { asOf, namespace, groupBy, opened, colour } = place
  const key = JSON.stringify([asOf, namespace, groupBy, opened])
  const asked = useAsked(key, (signal) => readMap({ asOf, namespace }, { groupBy, opened }, signal), {
    live: asOf === undefined,
    everyMs: 15_000,
  })
  // While a group opens, the map stays: whoever opened it keeps the focus.
  const about = JSON.stringify([asOf, namespace, groupBy])
  const before = useRef<{ readonly about: string; readonly data: ReadMap } | undefined>(undefined)
  if (asked.data !== undefined) before.current = { about, data: asked.data }
  const data = before.current?.about === about ? before.current.data : undefined
  const graph = data?.read.graph ?? EMPTY_GRAPH
  const content = useMemo(() => JSON.stringify([graph, data?.groups]), [data])
  const tones = useMemo(() => tonesOf(graph, colour), [content, colour])
  const grouped = useMemo(
    () => data?.groups ?? groupedMap(graph, { groupBy, opened, tones }),
    [content, groupBy, opened.join('\n'), tones],
  )
  if (asked.error !== undefined) return <Failure error={asked.error} onRetry={asked.retry} />
  if (data === undefined) return <Loading what="the map" />
  const { read } = data
  if (read.total.nodes === 0) return <EmptyGraph />
  const { map } = grouped
  const selected = query('selected')
  const node = graph.nodes.find(({ id }) => id === selected)
  const nodes = map.items.filter(({ id }) => groupOfId(id) === undefined).length
  const title = `Map: ${map.items.length - nodes} groups and ${nodes} nodes`
  return (
    <div class="board">
      <div class="board-main">
        <div class="board-bar">
          <strong class="board-shown">
            {nodes.toLocaleString('en')} of {read.total.nodes.toLocaleString('en')} shown
            {map.items.length > nodes && `, the others in ${map.items.length - nodes} groups`}
          </strong>
          <span class="quiet">
            <Revision of={read.revision} link /> {read.at !== undefined && <Time at={read.at} />}
          </span>
          {opened.length > 0 && (
            <button type="button" class="button button-small" onClick={() => setQuery({ open: undefined })}>
              Close all groups
            </button>
          )}
          <ExportsMenu query={{ asOf, namespace }} svg={undefined} />
        </div>
        <div class="board-drawing">
          <MapView
            map={map}
            title={`${title}. The table has the same.`}
            selected={selected}
            theme={theme.value}
            onPick={(id) => pick(id, opened)}
          />
        </div>
        {nodes > 0 && <Legend tones={tones} graph={graph} />}
        {data.groups !== undefined && (
          <p class="board-keys quiet">
            {`The graph has more than ${MOST_ITEMS.toLocaleString('en')} nodes: groups by namespace, tag and type can be opened, the others only counted.`}
          </p>
        )}
        <p class="board-keys quiet">
          Click a group to open it, a node to select it. Arrow keys move the map.
        </p>
      </div>
      <div class="board-side">
        <div class="board-about">
          {node !== undefined && (
            <NodePanel node={node} graph={graph} hidden={0} onSelect={(id) => setQuery({ selected: id })} />
          )}
          <GroupTable grouped={grouped} opened={opened} />
        </div>
        {nodes > 0 && (
          <GraphTables graph={openPart(graph, grouped)} onSelect={(id) => setQuery({ selected: id })} />
        )}
      </div>
    </div>
  )
}

function pick(id: string | undefined, opened: readonly string[]): void {
  const group = id === undefined ? undefined : groupOfId(id)
  if (group === undefined) setQuery({ selected: id })
  else setQuery({ open: [...opened, group], selected: undefined }, { replace: false })
}

/** The nodes that are drawn one by one. */
function openPart(graph: DrawnGraph, { map }: GroupedMap): DrawnGraph {
  const ids = new Set(map.items.map(({ id }) => id))
  return {
    nodes: graph.nodes.filter(({ id }) => ids.has(id)),
    edges: graph.edges.filter(({ source, target }) => ids.has(source) && ids.has(target)),
  }
}

function GroupTable({
  grouped,
  opened,
}: {
  readonly grouped: GroupedMap
  readonly opened: readonly string[]
}) {
  const { groups, map } = grouped
  if (groups.length === 0) return null
  const joins = new Map<string, number>()
  for (const { source, target, count } of map.links)
    for (const end of [source, target]) joins.set(end, (joins.get(end) ?? 0) + count)
  const columns: Column<Group>[] = [
    {
      key: 'value',
      title: 'Group',
      render: ({ value }) => (
        <button
          type="button"
          class="node-link"
          aria-pressed={opened.includes(value)}
          onClick={() =>
            setQuery(
              { open: opened.includes(value) ? opened.filter((one) => one !== value) : [...opened, value] },
              { replace: false },
            )
          }
        >
          {value === '' ? 'without one' : shownText(value)}
          {opened.includes(value) && ' (open)'}
        </button>
      ),
      sortBy: ({ value }) => value,
    },
    { key: 'nodes', title: 'Nodes', render: ({ size }) => size, sortBy: ({ size }) => size, align: 'end' },
    {
      key: 'unresolved',
      title: 'Not registered',
      render: ({ unresolved }) => unresolved,
      sortBy: ({ unresolved }) => unresolved,
      align: 'end',
    },
    {
      key: 'unwell',
      title: 'Down or expired',
      render: ({ unwell }) => unwell,
      sortBy: ({ unwell }) => unwell,
      align: 'end',
    },
    {
      key: 'joins',
      title: 'Edges',
      render: ({ value }) => joins.get(groupId(value)) ?? 0,
      sortBy: ({ value }) => joins.get(groupId(value)) ?? 0,
      align: 'end',
    },
  ]
  return (
    <section class="panel" aria-label="Groups as a table">
      <DataTable
        caption={`${groups.length} groups`}
        columns={columns}
        rows={groups}
        keyOf={({ value }) => value}
      />
    </section>
  )
}
