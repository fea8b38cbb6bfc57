import { apiUrl } from '../../api/client.ts'
import type { Database } from '../../api/types.ts'
import { type Column, DataTable } from '../../parts/data-table.tsx'
import { Panel } from '../../parts/page.tsx'
import { Revision, Time } from '../../parts/time.tsx'

type DatabaseError = Database['lastErrors'][number]

/** The newest faults of the database. The page of each code says how to repair it. */
export function LastErrors({ errors }: { readonly errors: readonly DatabaseError[] }) {
  if (errors.length === 0) return <p class="muted">None since the coordinator started.</p>
  return (
    <ol class="errors">
      {errors.toReversed().map((error) => (
        <li key={`${error.at} ${error.operation} ${error.detail}`}>
          <p class="wrap">{error.detail}</p>
          <p class="muted">
            <Time at={error.at} exact /> in <code>{error.operation}</code>,{' '}
            <a
              href={`${apiUrl('/docs/errors').href}#${error.code}`}
              title="What it means, and how to repair it"
            >
              {error.code}
            </a>
            {error.sourceCode !== undefined && (
              <>
                {' '}
                (<code>{error.sourceCode}</code> of the database)
              </>
            )}
          </p>
        </li>
      ))}
    </ol>
  )
}

type Refused = Database['refusedRecords'][number]

const columns: readonly Column<Refused>[] = [
  { key: 'kind', title: 'Kind', sortBy: ({ kind }) => kind, render: ({ kind }) => kind },
  { key: 'id', title: 'Id', sortBy: ({ id }) => id, render: ({ id }) => <code class="wrap">{id}</code> },
  {
    key: 'revision',
    title: 'Revision',
    sortBy: ({ revision }) => revision,
    render: ({ revision }) => <Revision of={revision} />,
  },
  { key: 'reason', title: 'Why', render: ({ reason }) => reason },
]

/** Records that somebody changed by hand into something that is not allowed. */
export function RefusedRecords({
  database: { refusedRecords, refusedCount },
}: {
  readonly database: Database
}) {
  return (
    <Panel title="Refused records" aside={`${refusedRecords.length} of ${refusedCount} shown`}>
      <DataTable
        caption="They were changed by hand into something that is not allowed, and are not served."
        columns={columns}
        rows={refusedRecords}
        keyOf={({ kind, id }) => `${kind} ${id}`}
      />
    </Panel>
  )
}
