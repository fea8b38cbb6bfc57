import type { Database, Health } from '../../api/types.ts'
import { LastBackup, LastDrill } from '../../parts/backup-words.tsx'
import { FieldRow as Row } from '../../parts/fields.tsx'
import { Link } from '../../parts/link.tsx'
import { Panel } from '../../parts/page.tsx'
import { duration, Revision } from '../../parts/time.tsx'
import { freshness, headRevision, silentSince } from '../../state/freshness.ts'
import { health } from '../../state/health.ts'
import { hasScope } from '../../state/session.ts'
import { useAnswer } from '../../state/use-answer.ts'

/** Where the records are kept, whether the last write is durable, how old the view is, and when it was saved last. */
export function Records() {
  const known = health.value
  const database = useAnswer<Database>(hasScope('metrics') ? '/database' : undefined, { pollMs: 5_000 })
  if (known === undefined) return null
  return (
    <Panel title="Storage" aside={<Link to="/database">Database</Link>}>
      <Durability health={known} />
      <dl class="fields">
        <Row name="Kept in">{backendWords[known.storage.backend] ?? known.storage.backend}</Row>
        <Row name="Newest revision">
          <Revision of={headRevision.value} />
        </Row>
        <Row name="Age of the records">
          <Age database={database.data} />
        </Row>
        <Row name="Last backup">
          <LastBackup backup={known.backup} />
        </Row>
        <Row name="Last rehearsed restore">
          <LastDrill backup={known.backup} />
        </Row>
      </dl>
    </Panel>
  )
}

export const backendWords: Readonly<Record<string, string>> = {
  memory: 'the memory of the coordinator',
  sqlite: 'SQLite, a file on the machine of the coordinator',
  postgres: 'PostgreSQL',
  supabase: 'Supabase',
}

/** The answer to: is the last write durable? */
function Durability({ health: { status, storage } }: { readonly health: Health }) {
  const revision = <Revision of={headRevision.value} />
  if (status === 'starting')
    return (
      <p class="durable durable-no">
        <strong>The records are not read yet.</strong> Until then, the coordinator takes no writes.
      </p>
    )
  if (!storage.durable && headRevision.value === 0)
    return (
      <p class="durable durable-no">
        <strong>No write will be durable.</strong> All records are only in memory: a restart loses them.
      </p>
    )
  if (!storage.durable)
    return (
      <p class="durable durable-no">
        <strong>The last write is not durable.</strong> Revision {revision} is only in memory: a restart loses
        it.
      </p>
    )
  if (silentSince.value !== undefined || storage.status === 'degraded')
    return (
      <p class="durable durable-yes">
        <strong>Every acknowledged write is durable.</strong> The newest known one is {revision}. New writes
        are refused until the database answers.
      </p>
    )
  if (headRevision.value === 0)
    return (
      <p class="durable durable-yes">
        <strong>Every write will be durable.</strong> Nothing was written yet.
      </p>
    )
  return (
    <p class="durable durable-yes">
      <strong>The last write is durable.</strong> Revision {revision} is committed in the database, and
      survives a restart: the coordinator acknowledges no write before that.
    </p>
  )
}

function Age({ database }: { readonly database: Database | undefined }) {
  const degraded = freshness.value?.degraded
  const age = freshness.value?.ageSeconds
  if (degraded !== undefined && age !== undefined) return <>{duration(age)} (degraded)</>
  if (health.value?.status === 'starting') return <>not read yet</>
  if (database === undefined) return <>current, as far as the coordinator knows</>
  const { ageMs, lagRevisions } = database
  return (
    <>
      confirmed {ageMs < 1_000 ? `${ageMs} ms` : duration(ageMs / 1_000)} before this was read
      {lagRevisions > 0 && `, ${lagRevisions.toLocaleString('en')} revisions behind`}
    </>
  )
}
