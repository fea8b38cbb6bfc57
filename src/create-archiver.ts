import type { ArchiveSource } from './archive/archiver/archive-source.ts'
import { Archiver } from './archive/archiver/archiver.ts'
import type { DrillResult } from './archive/archiver/backup-figures.ts'
import { reportArchiver } from './archive/archiver/report-archiver.ts'
import { openDestination } from './archive/destination/open-destination.ts'
import type { BasePoint } from './archive/format/archive-format.ts'
import { readIdentityFile } from './archive/format/identities.ts'
import { runDrill } from './archive/restore/run-drill.ts'
import { destinationEnvironment } from './config/backup-settings.ts'
import type { Settings } from './config/settings.ts'
import type { Live } from './live/live.ts'
import type { Logger } from './telemetry/logging.ts'

/** @returns `undefined` without BACKUP_URL. @throws COORD_CONFIG_INVALID */
export function createArchiver(
  settings: Settings,
  {
    live,
    logger,
    drillLookMs,
  }: { readonly live: Live; readonly logger: Logger; readonly drillLookMs?: number },
): Archiver | undefined {
  const { backupUrl: url, backupIdentityFile: file } = settings
  if (url === undefined) return undefined
  const env = destinationEnvironment(settings)
  const identities = file === undefined ? [] : readIdentityFile(file)
  const archiver = new Archiver({
    store: live.store,
    destination: openDestination({ url, env }),
    source: sourceOf(live),
    intervalMs: settings.backupIntervalMs,
    baseHours: settings.backupBaseHours,
    keepDays: settings.backupKeepDays,
    recipients: settings.backupRecipients,
    drillHours: settings.backupDrillHours,
    drill: (lineage, signal) => drill({ url, env, identities, lineage }, signal),
    ...(drillLookMs === undefined ? {} : { drillLookMs }),
    observer: reportArchiver(logger),
  })
  live.beforeClose((leftMs) => archiver.finish(leftMs))
  return archiver
}

async function drill(...[task, signal]: Parameters<typeof runDrill>): Promise<DrillResult> {
  const { checked } = await runDrill(task, signal)
  return { ok: true, at: Date.now(), checked }
}

/** What is served from memory, as archives and snapshots need it. Nothing before the database has confirmed it since the start. */
export function sourceOf(live: Live): ArchiveSource {
  const isConfirmed = () => live.loaded && live.status.snapshotAt === undefined
  const point = ({ position, at }: Pick<Live['view'], 'position' | 'at'>): BasePoint => ({
    ...position,
    at,
    ancestors: live.ancestors,
  })
  return {
    served: () => (isConfirmed() ? point(live.view) : undefined),
    snapshot() {
      if (!isConfirmed()) return undefined
      const { records, ...moment } = live.view.snapshot()
      return { point: point(moment), records }
    },
  }
}
