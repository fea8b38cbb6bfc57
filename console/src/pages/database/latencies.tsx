import type { Database } from '../../api/types.ts'
import { type Column, DataTable } from '../../parts/data-table.tsx'

interface Latency {
  readonly operation: string
  readonly count: number
  readonly p50Ms: number
  readonly p95Ms: number
  readonly p99Ms: number
  /** The slowest p99 of all operations, for the bars. */
  readonly slowestMs: number
}

const columns: readonly Column<Latency>[] = [
  {
    key: 'operation',
    title: 'Operation',
    sortBy: ({ operation }) => operation,
    render: ({ operation }) => <code>{operation}</code>,
  },
  {
    key: 'count',
    title: 'Calls',
    align: 'end',
    sortBy: ({ count }) => count,
    render: ({ count }) => count.toLocaleString('en'),
  },
  {
    key: 'p50',
    title: 'p50',
    align: 'end',
    sortBy: ({ p50Ms }) => p50Ms,
    render: ({ p50Ms }) => milliseconds(p50Ms),
  },
  {
    key: 'p95',
    title: 'p95',
    align: 'end',
    sortBy: ({ p95Ms }) => p95Ms,
    render: ({ p95Ms }) => milliseconds(p95Ms),
  },
  {
    key: 'p99',
    title: 'p99',
    align: 'end',
    sortBy: ({ p99Ms }) => p99Ms,
    render: ({ p99Ms }) => milliseconds(p99Ms),
  },
  { key: 'bar', title: 'Spread', width: '16%', render: (latency) => <Bar latency={latency} /> },
]

/** How long the database takes, by operation. */
export function Latencies({ latency }: Pick<Database, 'latency'>) {
  const slowestMs = Math.max(0.001, ...Object.values(latency).map(({ p99Ms }) => p99Ms))
  const rows = Object.entries(latency).map(([operation, times]) => ({ operation, ...times, slowestMs }))
  return (
    <div class="latencies">
      <DataTable
        caption="Half, 95 % and 99 % of the calls were at least as quick as this."
        columns={columns}
        rows={rows}
        keyOf={({ operation }) => operation}
        sorting={{ key: 'p99', descending: true }}
        empty={<p class="muted">The database was not asked yet.</p>}
      />
    </div>
  )
}

function Bar({ latency: { p50Ms, p99Ms, slowestMs } }: { readonly latency: Latency }) {
  const part = (ms: number) => `${Math.max(1, (ms / slowestMs) * 100)}%`
  return (
    <span class="latency-bar" aria-hidden="true">
      <span class="latency-99" style={{ width: part(p99Ms) }} />
      <span class="latency-50" style={{ width: part(p50Ms) }} />
    </span>
  )
}

function milliseconds(ms: number): string {
  if (ms < 0.01) return '< 0.01 ms'
  return `${ms < 10 ? ms.toFixed(2) : Math.round(ms).toLocaleString('en')} ms`
}
