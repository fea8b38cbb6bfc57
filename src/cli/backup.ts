import type { Command } from 'commander'
import { backupDrillCommand } from './backup/drill.ts'
import { backupListCommand } from './backup/list.ts'
import { backupOnce } from './backup/now.ts'
import { type ArchiveOptions, archiveCommand } from './backup/open-archive.ts'
import { backupPruneCommand } from './backup/prune.ts'
import { backupVerifyCommand } from './backup/verify.ts'
import { type CommandContext, examplesOf } from './context/command-context.ts'

const examples = `
A coordinator with BACKUP_URL archives by itself. These commands look after the archive; \`coordinator restore\` brings a moment back.
\`coordinator backup\` alone archives all records once, of the database that the settings name.

Examples:
  coordinator backup --from file:///srv/backup       archive all records now
  coordinator backup list                            the moments that can be restored
  coordinator backup verify                          read every file, and name each that is damaged
  coordinator backup drill                           rehearse a restore, without a database
  coordinator backup prune --dry-run                 what is older than BACKUP_KEEP_DAYS
`

/** `coordinator backup`: the backups. */
export function backupCommand(context: CommandContext): Command {
  const backup = archiveCommand('backup', 'Archive all records now, or look after the backups.')
    .addHelpText('after', examples)
    .action((options: ArchiveOptions) => backupOnce(options, context))
  for (const command of [
    backupListCommand(context),
    backupVerifyCommand(context),
    backupDrillCommand(context),
    backupPruneCommand(context),
  ])
    backup.addCommand(command.addHelpText('after', examplesOf(`backup ${command.name()}`, examples)))
  return backup
}
