import { Command } from 'commander'
import { readSettings } from '../config/settings.ts'
import { makeStore } from '../database/open.ts'
import type { Head } from '../database/store.ts'
import { CoordinatorError } from '../errors.ts'
import { announceDatabase, type CommandContext } from './command-context.ts'

interface RestoredOptions {
  readonly json?: true
}

const examples = `
A backup ends before what clients have seen since. Going on from it would give revisions out twice. In a new lineage no ETag,
revision or position of the old one counts any more: clients that carry one are told so.

Coordinators that kept running find out by themselves, where they had seen more than the backup has. Run this where none
did: after the restore, before the first start.

Examples:
  DATABASE_URL=sqlite:./data/coordinator.db coordinator restored
  DATABASE_URL=postgres://app@db.example/app coordinator restored --json
`

/** `coordinator restored`: gives the history of a database that came from a backup a new lineage. */
export function restoredCommand({ terminal }: CommandContext): Command {
  return new Command('restored')
    .description('Say that the database was restored from a backup: its history gets a new lineage.')
    .option('--json', 'print JSON')
    .addHelpText('after', examples)
    .action(async ({ json }: RestoredOptions) => {
      const settings = readSettings(terminal.env)
      if (settings.database.backend === 'memory') throw nothingToRestore()
      // A path that was mistyped must not become a new database.
      const store = await makeStore({ ...settings, autoMigrate: false })
      try {
        announceDatabase(terminal, settings)
        const before = await store.open()
        let head: Head = before
        // Somebody may write at the same moment: then it is tried again from there.
        while (head.position.lineage === before.position.lineage) head = await store.fork(head.position)
        const { lineage, revision } = head.position
        const report = { previous: before.position.lineage, lineage, revision }
        terminal.stdout.write(
          json === true
            ? `${JSON.stringify(report)}\n`
            : `The history goes on from revision ${revision} as lineage ${lineage} (before: ${report.previous}).\n`,
        )
      } finally {
        await store.close()
      }
    })
}

function nothingToRestore(): CoordinatorError {
  return new CoordinatorError('COORD_CLI_USAGE', {
    detail: 'No database is set here: what is kept in memory cannot be restored.',
    hint: 'Set DATABASE_URL, or the Supabase variables.',
  })
}
