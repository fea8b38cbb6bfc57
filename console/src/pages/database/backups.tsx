import { apiUrl } from '../../api/client.ts'
import type { Backup } from '../../api/types.ts'
import { LastBackup, LastDrill } from '../../parts/backup-words.tsx'
import { FieldRow } from '../../parts/fields.tsx'
import { Empty } from '../../parts/states.tsx'
import { duration, Time } from '../../parts/time.tsx'

/** Where the backups are, how complete they are, and whether a restore was rehearsed. */
export function Backups({ backup }: { readonly backup: Backup | undefined }) {
  if (backup === undefined)
    return (
      <Empty title="There are no backups." command="BACKUP_URL=file:///srv/backup npx coordinator serve">
        <p>Name a place for them when you start the coordinator, for example a folder on another disk:</p>
      </Empty>
    )
  return (
    <>
      {backup.reason !== undefined && (
        <p class="database-reason">
          {backup.reason}{' '}
          {backup.code !== undefined && (
            <a href={`${apiUrl('/docs/errors').href}#${backup.code}`}>{backup.code}</a>
          )}
        </p>
      )}
      <dl class="fields">
        <FieldRow name="State">{backup.state}</FieldRow>
        <FieldRow name="Place">
          <code class="wrap">{backup.url}</code>
        </FieldRow>
        <FieldRow name="Last complete">
          <LastBackup backup={backup} />
        </FieldRow>
        {backup.unarchivedSeconds > 0 && (
          <FieldRow name="Not archived for">{duration(backup.unarchivedSeconds)}</FieldRow>
        )}
        <FieldRow name="Last copy of all records">
          {backup.baseAt === null ? 'not yet' : <Time at={backup.baseAt} exact />}
        </FieldRow>
        <FieldRow name="Gaps">{backup.gaps}</FieldRow>
        <FieldRow name="Last rehearsed restore">
          <LastDrill backup={backup} />
        </FieldRow>
      </dl>
    </>
  )
}
