import type { Diff, JournalEntry } from '../../../api/types.ts'
import { shownText } from '../../../drawing/text/shown-text.ts'
import { Actor } from '../../../parts/actor.tsx'
import { type Column, DataTable } from '../../../parts/data-table.tsx'
import { Link } from '../../../parts/link.tsx'
import { Time } from '../../../parts/time.tsx'
import { entrySummary } from '../data/entry-summary.ts'

type Commit = Pick<JournalEntry, 'revision' | 'at' | 'actor' | 'unproven'>

/** The commits between two moments, newest first, each with who did it. */
export function CommitTable({ commits }: { readonly commits: Diff['commits'] }) {
  return (
    <section class="panel" aria-label="Commits">
      <DataTable
        caption={`${commits.length.toLocaleString('en')} ${commits.length === 1 ? 'commit' : 'commits'} between the two moments`}
        columns={columns}
        rows={[...commits].reverse() as readonly Commit[]}
        keyOf={({ revision }) => String(revision)}
        empty={<p class="quiet">No commit between the two moments changed the graph.</p>}
      />
    </section>
  )
}

const columns: readonly Column<Commit>[] = [
  {
    key: 'revision',
    title: 'Revision',
    render: ({ revision }) => (
      <Link to="/time" query={{ asOf: revision }} class="revision">
        r{revision.toLocaleString('en')}
      </Link>
    ),
    sortBy: ({ revision }) => revision,
  },
  {
    key: 'actor',
    title: 'Who',
    // The time stands below, because the table is beside the drawing. It needs no column to sort by: the revision has the same order.
    render: ({ actor, unproven, at }) => (
      <>
        <Actor actor={actor} unproven={unproven} />
        <br />
        <span class="quiet">
          <Time at={at} />
        </span>
      </>
    ),
    sortBy: ({ actor }) => actor,
  },
]

/** The last commits up to a moment: the newest is the one that made it. */
export function LastCommits({ entries }: { readonly entries: readonly JournalEntry[] }) {
  if (entries.length === 0) return null
  return (
    <section class="panel" aria-label="Last commits up to this moment">
      <header class="panel-head">
        <h2>Up to this moment</h2>
      </header>
      <ol class="time-commits">
        {entries.map((entry, at) => (
          <li key={entry.revision} class={at === 0 ? 'time-commit time-commit-shown' : 'time-commit'}>
            <Link to="/time" query={{ asOf: entry.revision }} class="revision" current={at === 0}>
              r{entry.revision.toLocaleString('en')}
            </Link>
            <span class="wrap">{shownText(entrySummary(entry))}</span>
            <span class="quiet wrap">
              <Time at={entry.at} /> by <Actor actor={entry.actor} unproven={entry.unproven} />
            </span>
          </li>
        ))}
      </ol>
    </section>
  )
}
