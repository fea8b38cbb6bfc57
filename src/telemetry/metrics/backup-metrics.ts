import type { Meters } from './meters.ts'

/** The states of the archiver. `off`: BACKUP_URL is not set. */
const backupStates = ['off', 'waiting', 'ok', 'failing', 'stopped'] as const

interface BackupFigures {
  readonly state: Exclude<(typeof backupStates)[number], 'off'>
  readonly unarchivedRevisions: number
  readonly unarchivedSeconds: number
  /** Epoch milliseconds; 0 if there was none. */
  readonly lastSuccessAt: number
  readonly writtenBytes: number
  readonly failures: number
  /** Parts of the journal that were compacted before they were archived. */
  readonly gaps: number
  /** How often a restore is rehearsed; 0: never. */
  readonly drillHours: number
  readonly drill?: { readonly ok: boolean; readonly at: number }
}

export interface BackupSources {
  backup(): BackupFigures
}

/** The backups. Without BACKUP_URL, all of them are 0, and the state is `off`. */
export function backupMetrics(meters: Meters, sources: Partial<BackupSources>): void {
  const backup = () => sources.backup?.()
  meters.gaugeBy(
    { state: backupStates },
    {
      name: 'coordinator_backup_state',
      help: `1 for the state of the backups (${backupStates.join(', ')}; off: BACKUP_URL is not set), 0 for the others.`,
      read: ({ state }) => Number(state === (backup()?.state ?? 'off')),
    },
  )
  meters.gauges({
    coordinator_backup_unarchived_revisions: [
      'Revisions that are served and not in the archive.',
      () => backup()?.unarchivedRevisions,
    ],
    coordinator_backup_unarchived_seconds: [
      'For how long something may have been missing in the archive; 0 if it has everything.',
      () => backup()?.unarchivedSeconds,
    ],
    coordinator_backup_last_success_timestamp_seconds: [
      'When the archive had everything last. 0 if it never had since the start.',
      () => (backup()?.lastSuccessAt ?? 0) / 1_000,
    ],
    coordinator_backup_last_drill_timestamp_seconds: [
      'When a restore was rehearsed last. 0 if it never was since the start.',
      () => (backup()?.drill?.at ?? 0) / 1_000,
    ],
    coordinator_backup_drill_interval_seconds: [
      'How often a restore is rehearsed (BACKUP_DRILL_HOURS); 0: never.',
      () => (backup()?.drillHours ?? 0) * 3_600,
    ],
    coordinator_backup_drill_ok: [
      '1 if the last rehearsed restore gave what the archive promises; otherwise 0.',
      () => Number(backup()?.drill?.ok ?? false),
    ],
  })
  meters.totals({
    coordinator_backup_bytes_total: ['Bytes that were written to the archive.', () => backup()?.writtenBytes],
    coordinator_backup_failures_total: [
      'Attempts to write to the archive that failed.',
      () => backup()?.failures,
    ],
    coordinator_backup_gaps_total: [
      'Parts of the journal that were compacted before they were archived. Their moments cannot be restored.',
      () => backup()?.gaps,
    ],
  })
}
