import type { Command } from 'commander'
import { acceptHistoryCommand } from './accept-history.ts'
import { afterRestoreCommand } from './after-restore.ts'
import { backupCommand } from './backup.ts'
import { changesCommand } from './changes.ts'
import { completeWordsCommand, completionCommand } from './completion.ts'
import type { CommandContext } from './context/command-context.ts'
import { doctorCommand } from './doctor.ts'
import { exportCommand } from './export.ts'
import { graphCommand } from './graph.ts'
import { importCommand } from './import.ts'
import { migrateCommand } from './migrate.ts'
import { copyCommand } from './move/copy.ts'
import { cutoverCommand } from './move/cutover.ts'
import { namespacesCommand } from './namespaces.ts'
import { restoreCommand } from './restore.ts'
import { deregisterCommand } from './service/deregister.ts'
import { getCommand } from './service/get.ts'
import { heartbeatCommand } from './service/heartbeat.ts'
import { historyCommand } from './service/history.ts'
import { registerCommand } from './service/register.ts'
import { servicesCommand } from './services.ts'
import { statusCommand } from './status.ts'
import { tokenCommand } from './token.ts'

/** The commands besides `serve`, in the order of the help. */
export function commandsOf(
  context: CommandContext,
  program: Command,
): readonly { readonly command: Command; readonly hidden: boolean }[] {
  const shown = [
    registerCommand(context),
    servicesCommand(context),
    getCommand(context),
    historyCommand(context),
    heartbeatCommand(context),
    deregisterCommand(context),
    changesCommand(context),
    namespacesCommand(context),
    graphCommand(context),
    importCommand(context),
    exportCommand(context),
    statusCommand(context),
    tokenCommand(context),
    migrateCommand(context),
    backupCommand(context),
    restoreCommand(context),
    doctorCommand(context),
    copyCommand(context),
    cutoverCommand(context),
    afterRestoreCommand(context),
    acceptHistoryCommand(context),
    completionCommand(context),
  ]
  const hidden = [
    // Another name for `after-restore`.
    afterRestoreCommand(context).name('restored'),
    completeWordsCommand(context, program),
  ]
  return [
    ...shown.map((command) => ({ command, hidden: false })),
    ...hidden.map((command) => ({ command, hidden: true })),
  ]
}
