import { useMemo } from 'preact/hooks'
import {
  type DrawnEdge,
  type DrawnGraph,
  type DrawnNode,
  needOf,
} from '../../../drawing/model/drawn-graph.ts'
import { SIGNS, type Sign } from '../../../drawing/model/marks.ts'
import { healthWord } from '../../../drawing/model/tones.ts'
import { shownText } from '../../../drawing/text/shown-text.ts'
import { type Column, DataTable } from '../../../parts/data-table.tsx'
import { NodeLink } from './node-link.tsx'

export interface GraphTablesProps {
  readonly graph: DrawnGraph
  /** Steps from the node that the drawing is about; `undefined` where they mean nothing. */
  readonly distances?: ReadonlyMap<string, number> | undefined
  readonly signs?: ReadonlyMap<string, Sign> | undefined
  readonly onSelect: (id: string) => void
}

interface NodeRow extends DrawnNode {
  readonly needs: number
  readonly neededBy: number
}

/** Everything that a drawing shows, as two tables that can be sorted. */
export function GraphTables({ graph, distances, signs, onSelect }: GraphTablesProps) {
  const rows = useMemo(() => nodeRows(graph), [graph])
  const labels = useMemo(() => new Map(graph.nodes.map(({ id, label }) => [id, label])), [graph])
  const signOf = (id: string) => signs?.get(id)
  const signColumn = <T extends { readonly id: string }>(of: readonly T[]): Column<T>[] =>
    !of.some(({ id }) => signs?.has(id))
      ? []
      : [
          {
            key: 'sign',
            title: 'Change',
            render: ({ id }) => <SignMark sign={signOf(id)} />,
            sortBy: ({ id }) => signOf(id),
          },
        ]
  const nodeColumns: Column<NodeRow>[] = [
    {
      key: 'label',
      title: 'Name',
      render: ({ id, label }) => <NodeLink id={id} label={label} onSelect={onSelect} />,
      sortBy: ({ label }) => label,
    },
    ...signColumn<NodeRow>(rows),
    ...(distances === undefined
      ? []
      : [
          {
            key: 'steps',
            title: 'Steps',
            render: ({ id }: NodeRow) => distances.get(id) ?? '',
            sortBy: ({ id }: NodeRow) => distances.get(id),
            align: 'end' as const,
          },
        ]),
    ...varied(rows, { key: 'type', title: 'Type', of: ({ type }) => shownText(type) }),
    { key: 'health', title: 'Health', render: healthWord, sortBy: healthWord },
    {
      key: 'needs',
      title: 'Needs',
      render: ({ needs }) => needs,
      sortBy: ({ needs }) => needs,
      align: 'end',
    },
    {
      key: 'neededBy',
      title: 'Needed by',
      render: ({ neededBy }) => neededBy,
      sortBy: ({ neededBy }) => neededBy,
      align: 'end',
    },
  ]
  const end = (id: string) => <NodeLink id={id} label={labels.get(id) ?? id} onSelect={onSelect} />
  const edgeColumns: Column<DrawnEdge>[] = [
    {
      key: 'source',
      title: 'From',
      render: ({ source }) => end(source),
      sortBy: ({ source }) => labels.get(source),
    },
    ...signColumn<DrawnEdge>(graph.edges),
    ...varied(graph.edges, { key: 'type', title: 'Type', of: ({ type }) => shownText(type) }),
    {
      key: 'target',
      title: 'To',
      render: ({ target }) => end(target),
      sortBy: ({ target }) => labels.get(target),
    },
    ...varied(graph.edges, { key: 'origin', title: 'Origin', of: ({ origin }) => origin }),
  ]
  return (
    <div class="graph-tables">
      <section class="panel" aria-label="Nodes as a table">
        <DataTable
          // Another question has another order at first.
          key={distances === undefined ? 'plain' : 'steps'}
          caption={`${rows.length.toLocaleString('en')} ${rows.length === 1 ? 'node' : 'nodes'} of the drawing`}
          columns={nodeColumns}
          rows={rows}
          keyOf={({ id }) => id}
          sorting={distances === undefined ? undefined : { key: 'steps', descending: false }}
        />
      </section>
      <section class="panel" aria-label="Edges as a table">
        <DataTable
          caption={`${graph.edges.length.toLocaleString('en')} ${graph.edges.length === 1 ? 'edge' : 'edges'} of the drawing${sameOf(graph.edges)}`}
          columns={edgeColumns}
          rows={graph.edges}
          keyOf={({ id }) => id}
          empty={<p class="quiet">No edges.</p>}
        />
      </section>
    </div>
  )
}

/** A column, unless all rows say the same in it: the table stands beside a drawing, and has little room. */
function varied<T>(
  rows: readonly T[],
  { key, title, of }: { readonly key: string; readonly title: string; readonly of: (row: T) => string },
): Column<T>[] {
  return new Set(rows.map(of)).size < 2 ? [] : [{ key, title, render: of, sortBy: of }]
}

/** What the columns that are left out would say. */
function sameOf(edges: readonly DrawnEdge[]): string {
  const [types, origins] = [
    new Set(edges.map(({ type }) => type)),
    new Set(edges.map(({ origin }) => origin)),
  ]
  const same = [...(types.size === 1 ? types : []), ...(origins.size === 1 ? origins : [])]
  return same.length === 0 ? '' : `, all of them ${shownText(same.join(', '))}`
}

export function SignMark({ sign }: { readonly sign: Sign | undefined }) {
  if (sign === undefined) return null
  return (
    <span class="sign-mark" data-sign={sign}>
      {SIGNS[sign].sign} {SIGNS[sign].word}
    </span>
  )
}

function nodeRows({ nodes, edges }: DrawnGraph): readonly NodeRow[] {
  const needs = new Map<string, Set<string>>()
  const neededBy = new Map<string, Set<string>>()
  for (const edge of edges) {
    const { consumer, provider } = needOf(edge)
    if (consumer === provider) continue
    needs.set(consumer, (needs.get(consumer) ?? new Set()).add(provider))
    neededBy.set(provider, (neededBy.get(provider) ?? new Set()).add(consumer))
  }
  return nodes.map((node) => ({
    ...node,
    needs: needs.get(node.id)?.size ?? 0,
    neededBy: neededBy.get(node.id)?.size ?? 0,
  }))
}
