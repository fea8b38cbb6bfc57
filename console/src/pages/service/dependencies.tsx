import type { GraphEdge, GraphNode, Neighbors, Service } from '../../api/types.ts'
import { type Column, DataTable } from '../../parts/data-table.tsx'
import { Foreign } from '../../parts/foreign.tsx'
import { Link } from '../../parts/link.tsx'
import { Panel } from '../../parts/page.tsx'
import { Shown } from '../../parts/states.tsx'
import { Revision } from '../../parts/time.tsx'
import { asOf } from '../../state/location.ts'
import { graphOf, serviceByName, serviceNode } from '../../state/places.ts'
import { useAnswer } from '../../state/use-answer.ts'

interface Dependency {
  readonly edge: GraphEdge
  readonly node: Pick<GraphNode, 'id' | 'label' | 'type' | 'namespace'>
}

const EDGES_ASKED = 500

/** What the service needs, and what needs it. */
export function Dependencies({ service: { serviceName, namespace } }: { readonly service: Service }) {
  const node = serviceNode(serviceName, namespace)
  const query = { of: node, limit: EDGES_ASKED, asOf: asOf.value }
  const asked = useAnswer<Neighbors>('/knowledge-graph/neighbors', { query, live: asOf.value === undefined })
  return (
    <Panel
      title="Dependencies"
      aside={
        asked.data !== undefined && (
          <>
            at <Revision of={asked.data.revision} />
          </>
        )
      }
    >
      <Shown asked={asked} what="the dependencies">
        {(neighbors) => <Both neighbors={neighbors} of={neighbors.of} />}
      </Shown>
    </Panel>
  )
}

function Both({ neighbors, of }: { readonly neighbors: Neighbors; readonly of: string }) {
  const nodes = new Map(neighbors.nodes.map((node) => [node.id, node]))
  const at = (end: 'source' | 'target') =>
    neighbors.edges.flatMap((edge): Dependency[] => {
      const other = nodes.get(edge[end])
      return edge[end] === of || other === undefined ? [] : [{ edge, node: other }]
    })
  return (
    <>
      {!neighbors.complete && (
        <p class="muted">
          The first {neighbors.nodes.length} of {neighbors.total} neighbors are shown.
        </p>
      )}
      <List title="It needs" rows={at('target')} empty="It needs nothing." />
      <List title="It is needed by" rows={at('source')} empty="Nothing needs it." />
    </>
  )
}

const columns: readonly Column<Dependency>[] = [
  {
    key: 'name',
    title: 'Name',
    sortBy: ({ node }) => node.label,
    render: ({ node }) => {
      const place = node.type === 'service' ? serviceByName(node.label, node.namespace) : graphOf(node.id)
      return (
        <Link {...place} class="service-name" title={node.id}>
          <Foreign text={node.label} />
        </Link>
      )
    },
  },
  { key: 'type', title: 'What', sortBy: ({ node }) => node.type, render: ({ node }) => node.type },
  { key: 'how', title: 'How', sortBy: ({ edge }) => edge.type, render: ({ edge }) => <How edge={edge} /> },
  {
    key: 'origin',
    title: 'Known from',
    sortBy: ({ edge }) => edge.origin,
    render: ({ edge }) => originWords[edge.origin],
  },
]

const originWords: Readonly<Record<GraphEdge['origin'], string>> = {
  declared: 'a registration',
  asserted: 'an assertion',
  observed: 'traffic',
}

function How({ edge }: { readonly edge: GraphEdge }) {
  const { versions, dependencyTypes } = edge.data as {
    readonly versions?: string[]
    readonly dependencyTypes?: string[]
  }
  return (
    <>
      {edge.type.replaceAll('_', ' ')}
      {dependencyTypes !== undefined && <span class="muted"> by {dependencyTypes.join(', ')}</span>}
      {versions !== undefined && <span class="mono"> {versions.join(', ')}</span>}
    </>
  )
}

interface ListProps {
  readonly title: string
  readonly rows: readonly Dependency[]
  readonly empty: string
}

function List({ title, rows, empty }: ListProps) {
  return (
    <div class="dependency-list">
      <DataTable
        caption={`${title} (${rows.length})`}
        columns={columns}
        rows={rows}
        keyOf={({ edge }) => edge.id}
        sorting={{ key: 'name', descending: false }}
        empty={
          <p class="muted">
            {title} (0). {empty}
          </p>
        }
      />
    </div>
  )
}
