import type { Command } from 'commander'
import { runDrill } from '../../archive/restore/run-drill.ts'
import { destinationEnvironment } from '../../config/backup-settings.ts'
import { type CommandContext, writeResult } from '../context/command-context.ts'
import { type ArchiveOptions, archiveCommand, lineageOption, notNoted, withArchive } from './open-archive.ts'
import { durationText, sizeText } from './sizes.ts'

/** `coordinator backup drill`: rehearses a restore, without a database. */
export function backupDrillCommand(context: CommandContext): Command {
  return archiveCommand('drill', 'Rehearse a restore, without a database.')
    .addOption(lineageOption())
    .action((options: ArchiveOptions) =>
      withArchive(options, context, async ({ identities, settings, signal }) => {
        const { lineage } = options
        const task = {
          url: settings.backupUrl ?? '',
          env: destinationEnvironment(settings),
          identities,
          ...(lineage === undefined ? {} : { lineage }),
        }
        const { noteFault, ...report } = await runDrill(task, signal)
        const { checked, fromRevision, toRevision, files, bytes, tookMs } = report
        const read = `Read ${files} files (${sizeText(bytes)}) in ${durationText(tookMs)}.`
        const result =
          checked === 'structure'
            ? 'The files are there, and nothing is missing between them. They are encrypted: set BACKUP_IDENTITY_FILE to compare the contents.'
            : fromRevision === toRevision
              ? `The only base, of revision ${toRevision}, has the records that it recorded. A second base shows whether the log leads to it.`
              : `From the base of revision ${fromRevision}, the log leads to exactly the records of the base of revision ${toRevision}.`
        if (noteFault !== undefined) context.terminal.stderr.write(notNoted(noteFault))
        writeResult(context, options, { value: { ok: true, ...report }, text: `${result}\n${read}\n` })
      }),
    )
}
