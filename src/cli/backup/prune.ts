import { type Command, InvalidArgumentError } from 'commander'
import { pruneArchive } from '../../archive/archiver/prune-archive.ts'
import { chooseLineage } from '../../archive/inventory/choose-lineage.ts'
import { readInventory } from '../../archive/inventory/inventory.ts'
import { type CommandContext, writeResult } from '../context/command-context.ts'
import { countOf, printable } from '../terminal/text-table.ts'
import { type ArchiveOptions, archiveCommand, lineageOption, withArchive } from './open-archive.ts'
import { sizeText } from './sizes.ts'

interface PruneOptions extends ArchiveOptions {
  readonly dryRun?: true
  readonly keepDays?: number
}

/** `coordinator backup prune`: removes what only serves moments that need not be kept. A coordinator does it by itself after each base. */
export function backupPruneCommand(context: CommandContext): Command {
  return archiveCommand('prune', 'Remove what only serves moments older than BACKUP_KEEP_DAYS.')
    .addOption(lineageOption())
    .option('--keep-days <days>', 'how many days must stay (default: BACKUP_KEEP_DAYS)', readDays)
    .option('--dry-run', 'remove nothing, and show what would be removed')
    .action((options: PruneOptions) =>
      withArchive(options, context, async ({ destination, identities, settings, signal }) => {
        const inventory = await readInventory(destination, { identities, signal })
        const lineage = await chooseLineage(inventory, options.lineage)
        const dryRun = options.dryRun === true
        const keepDays = options.keepDays ?? settings.backupKeepDays
        const report = await pruneArchive(destination, lineage, { keepDays, dryRun, signal })
        const { removed, removedBytes, keptFiles, keptBytes } = report
        const names = removed.map(({ name }) => `${printable(name)}\n`).join('')
        const verb = dryRun ? 'Would remove' : 'Removed'
        writeResult(context, options, {
          value: {
            ...{ dryRun, keepDays, removedBytes, keptFiles, keptBytes },
            lineage: lineage.lineage,
            removed: removed.map(({ name }) => name),
          },
          text: `${names}${verb} ${countOf(removed.length, 'file')} (${sizeText(removedBytes)}). ${keptFiles} stay (${sizeText(keptBytes)}).\n`,
        })
      }),
    )
}

function readDays(text: string): number {
  const days = Number(text)
  if (!/^\d{1,5}$/.test(text) || days < 1 || days > 36_500)
    throw new InvalidArgumentError('It must be a whole number of days, from 1 to 36500.')
  return days
}
