import { Command } from 'commander'
import { readSettings } from '../config/settings.ts'
import type { Head } from '../database/store.ts'
import { CoordinatorError } from '../errors.ts'
import { type CommandContext, type OutputOptions, writeResult } from './context/command-context.ts'
import { withStore } from './context/with-store.ts'

const examples = `
A backup lacks the newest revisions that clients have seen. Without a new lineage, the coordinator would give the same numbers to
other revisions. In a new lineage, no ETag, revision or position of the old one is valid. Clients that still use one are told so.

A coordinator that kept running notices a restore by itself if it had seen newer revisions than the backup has. Otherwise run this
command after the restore, before the first start.

Examples:
  DATABASE_URL=sqlite:./data/coordinator.db coordinator after-restore
  DATABASE_URL=postgres://app@db.example/app coordinator after-restore --json
`

/** `coordinator after-restore`: starts a new lineage in a database that came from a backup. */
export function afterRestoreCommand(context: CommandContext): Command {
  return new Command('after-restore')
    .description('Start a new lineage after the database was restored from a backup.')
    .option('--json', 'print JSON')
    .addHelpText('after', examples)
    .action((options: OutputOptions) => {
      const settings = readSettings(context.terminal.env)
      if (settings.database.backend === 'memory')
        throw new CoordinatorError('COORD_CLI_USAGE', {
          detail: 'No database is set here, and records in memory cannot be restored.',
          hint: 'Set DATABASE_URL, or the Supabase variables.',
        })
      // A mistyped path must not create a new database.
      return withStore({ ...settings, autoMigrate: false }, context.terminal, async (store) => {
        const before = await store.open()
        const previous = before.position.lineage
        let head: Head = before
        // A write at the same moment prevents the fork. Then the fork is tried again from the new head.
        while (head.position.lineage === previous) head = await store.fork(head.position)
        const { lineage, revision } = head.position
        writeResult(context, options, {
          value: { previous, lineage, revision },
          text: `The history continues from revision ${revision} with the lineage ${lineage} (before: ${previous}).\n`,
        })
      })
    })
}
