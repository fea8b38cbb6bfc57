import type { Backup } from '../api/types.ts'
import { Revision, Time } from './time.tsx'

export function LastBackup({ backup }: { readonly backup: Backup | undefined }) {
  if (backup === undefined)
    return (
      <>
        None. Set <code>BACKUP_URL</code> to have one.
      </>
    )
  const { lastSuccessAt, state, archivedRevision, unarchivedRevisions } = backup
  return (
    <>
      {lastSuccessAt === null ? 'not yet' : <Time at={lastSuccessAt} exact />}, up to{' '}
      <Revision of={archivedRevision} />
      {unarchivedRevisions > 0 && ` (${unarchivedRevisions.toLocaleString('en')} revisions to go)`}
      {state !== 'ok' && <strong class="state-word"> {state}</strong>}
    </>
  )
}

export function LastDrill({ backup }: { readonly backup: Backup | undefined }) {
  const drill = backup?.drill
  if (drill === undefined) return <>not yet</>
  return (
    <>
      <Time at={drill.at} exact />: {drill.ok ? 'it worked' : <strong class="state-word">it failed</strong>}
    </>
  )
}
