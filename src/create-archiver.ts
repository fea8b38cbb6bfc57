import type { ArchiveSource } from './archive/archiver/archive-source.ts'
import { Archiver } from './archive/archiver/archiver.ts'
import { reportArchiver } from './archive/archiver/report-archiver.ts'
import { openDestination } from './archive/destination/open-destination.ts'
import type { BasePoint } from './archive/format/archive-format.ts'
import { destinationEnvironment } from './config/backup-settings.ts'
import type { Settings } from './config/settings.ts'
import type { Live } from './live/live.ts'
import type { Logger } from './telemetry/logging.ts'

/** What a restart loses is in the archive, but not the history that goes on after it. */
export const MEMORY_ARCHIVED =
  'The backups of a coordinator in memory hold what it served until it ended: `coordinator restore` puts that into a database. A restart begins another history.'

/** @returns `undefined` without BACKUP_URL. @throws COORD_CONFIG_INVALID */
export function createArchiver(
  settings: Settings,
  { live, logger }: { readonly live: Live; readonly logger: Logger },
): Archiver | undefined {
  const { backupUrl: url } = settings
  if (url === undefined) return undefined
  const archiver = new Archiver({
    store: live.store,
    destination: openDestination({ url, env: destinationEnvironment(settings) }),
    source: sourceOf(live),
    intervalMs: settings.backupIntervalMs,
    baseHours: settings.backupBaseHours,
    keepDays: settings.backupKeepDays,
    recipients: settings.backupRecipients,
    drillHours: settings.backupDrillHours,
    observer: reportArchiver(logger),
  })
  live.beforeClose((leftMs) => archiver.finish(leftMs))
  return archiver
}

/** What is served from memory, as archives and snapshots need it. */
export function sourceOf(live: Live): ArchiveSource {
  const point = ({ position, at }: Pick<Live['view'], 'position' | 'at'>): BasePoint => ({
    ...position,
    at,
    ancestors: live.ancestors,
  })
  return {
    served: () => (live.loaded ? point(live.view) : undefined),
    snapshot() {
      if (!live.loaded) return undefined
      const { records, ...moment } = live.view.snapshot()
      return { point: point(moment), records }
    },
  }
}
