import type { BackupFigures } from '../../archive/archiver/backup-figures.ts'

/** The state of the backups, as a member of answers; nothing if there are none. */
export function backupAnswer(backup: (() => BackupFigures) | undefined): Record<string, unknown> {
  if (backup === undefined) return {}
  const { url, state, reason, code, drill, ...figures } = backup()
  return {
    backup: {
      ...{ url, state },
      ...(reason === undefined ? {} : { reason, code }),
      archivedRevision: figures.archivedRevision,
      unarchivedRevisions: figures.unarchivedRevisions,
      unarchivedSeconds: Math.round(figures.unarchivedSeconds * 10) / 10,
      lastSuccessAt: isoTime(figures.lastSuccessAt),
      baseAt: isoTime(figures.baseAt),
      gaps: figures.gaps,
      ...(drill === undefined ? {} : { drill: { ...drill, at: isoTime(drill.at) } }),
    },
  }
}

/** @returns `null` for a moment that there was not yet */
function isoTime(ms: number): string | null {
  return ms === 0 ? null : new Date(ms).toISOString()
}
