import type { Database } from '../../api/types.ts'
import { type Column, DataTable } from '../../parts/data-table.tsx'
import { Panel } from '../../parts/page.tsx'

interface Pool {
  readonly name: string
  readonly idle: number
  readonly used: number
  readonly waiting: number
  readonly max: number
}

const columns: readonly Column<Pool>[] = [
  { key: 'name', title: 'For', render: ({ name }) => name },
  { key: 'used', title: 'In use', align: 'end', render: ({ used }) => used },
  { key: 'idle', title: 'Idle', align: 'end', render: ({ idle }) => idle },
  { key: 'max', title: 'At most', align: 'end', render: ({ max }) => max },
  { key: 'waiting', title: 'Calls that wait', align: 'end', render: ({ waiting }) => waiting },
]

/** The connections to the database and its replicas; nothing for databases that have none. */
export function Connections({ database: { pool, replicas = [] } }: { readonly database: Database }) {
  if (pool === undefined) return null
  const rows = [
    { name: 'writing', ...pool.writer },
    { name: 'following', ...pool.follower },
    { name: 'reading', ...pool.reader },
    ...replicas.flatMap(({ connections }, at) =>
      connections === undefined ? [] : [{ name: `replica ${at}`, ...connections }],
    ),
    // SQLite writes and reads over one connection.
  ].filter(({ max }) => max > 0)
  return (
    <Panel title="Connections">
      <DataTable
        caption="Connections to the database"
        hideCaption
        columns={columns}
        rows={rows}
        keyOf={({ name }) => name}
      />
    </Panel>
  )
}
