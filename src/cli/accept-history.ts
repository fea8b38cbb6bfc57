import { Command } from 'commander'
import { descendsFrom } from '../database/ancestors.ts'
import { CoordinatorError } from '../errors.ts'
import {
  type CommandContext,
  type OutputOptions,
  withOutput,
  writeResult,
} from './context/command-context.ts'
import { readSharedStore, withStore } from './context/with-store.ts'

const examples = `
A coordinator that finds another history in its database (the schema was dropped and migrated again, or another backup was restored into
it) keeps serving what it had, refuses writes with COORD_STORE_REPLACED, and names this command with the lineage that it serves.

The command notes in the database that its history continues that one. Every coordinator that serves that lineage then loads what the
database has, and FORGETS what only it still served. To keep that, export it first, or bring the right database back instead.

Examples:
  DATABASE_URL=postgres://app@db.example/app coordinator accept-history 0c9f1ff4-7a64-4d35-9b0a-5a3f6f0f3f3e
`

const lineageForm = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** `coordinator accept-history`: lets the coordinators that serve a lineage follow the history that the database has now. */
export function acceptHistoryCommand(context: CommandContext): Command {
  return withOutput(new Command('accept-history'))
    .description('Accept that the database was replaced, on every coordinator that serves the lineage.')
    .argument('<lineage>', 'the lineage that the coordinators still serve, as `coordinator status` names it')
    .addHelpText('after', examples)
    .action((given: string, options: OutputOptions) => {
      const replaced = given.toLowerCase()
      if (!lineageForm.test(replaced))
        throw new CoordinatorError('COORD_CLI_USAGE', {
          detail: 'A lineage is a UUID, such as 0c9f1ff4-7a64-4d35-9b0a-5a3f6f0f3f3e.',
          hint: 'Copy the lineage from the message of the coordinator, or from `coordinator status`.',
        })
      return withStore(readSharedStore(context.terminal.env), context.terminal, async (store) => {
        const before = await store.open()
        const changed = !descendsFrom(before, replaced)
        const { position } = changed ? await store.adopt(replaced) : before
        const { lineage, revision } = position
        const now = `The database has the history ${lineage}, at revision ${revision}.`
        writeResult(context, options, {
          value: { accepted: replaced, lineage, revision, changed },
          text: changed
            ? `${now} Coordinators that serve ${replaced} follow it from now on.\n`
            : `${now} It continues ${replaced} already: nothing was changed.\n`,
        })
      })
    })
}
