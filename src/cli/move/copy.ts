import type { Command } from 'commander'
import { type CopyReport, copyStore } from '../../archive/move/copy-store.ts'
import { type CommandContext, writeResult } from '../context/command-context.ts'
import { type TwoStoresOptions, twoStoresCommand, withTwoStores } from './two-stores.ts'

interface CopyCommandOptions extends TwoStoresOptions {
  readonly follow?: true
  readonly again?: true
}

const examples = `
Copies the records, their history and the tokens into an empty database of any backend, which is then in mode \`copy\`: coordinators on it
serve it, and refuse writes. The old database keeps working meanwhile. A SQLite file can only be copied while its coordinator is stopped.
A copy that was interrupted goes on when the same command runs again. docs/move.md shows a move from beginning to end.

Examples:
  coordinator copy --from old.env --to new.env --follow
  coordinator copy --from old.env --to new.env
`

/** `coordinator copy`: makes an empty database a copy of another one. */
export function copyCommand(context: CommandContext): Command {
  return twoStoresCommand('copy', 'Copy a database into another one, of any backend, while it is used.')
    .option('--follow', 'keep the copy up to date, until `coordinator cutover` or Ctrl-C')
    .option('--again', 'copy everything again, even if the copy could go on')
    .addHelpText('after', examples)
    .action(async (options: CopyCommandOptions) => {
      const { follow = false, again = false } = options
      const report = await withTwoStores(context, options, (move) => copyStore({ ...move, follow, again }))
      if (report !== undefined) writeResult(context, options, { value: report, text: textOf(report) })
    })
}

function textOf({ ended, lineage, revision, floor, tokens }: CopyReport): string {
  const what = `The copy has the history ${lineage} from revision ${floor} to ${revision}, and ${tokens} tokens.\n`
  if (ended === 'opened')
    return `${what}It takes writes now: a cutover made it take the place of the old database.\n`
  return `${what}Next: \`coordinator copy --follow\` with the same files keeps it up to date, and \`coordinator cutover\` lets it take the place of the old database.\n`
}
