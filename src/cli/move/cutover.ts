import type { Command } from 'commander'
import { type AbortReport, abortCutover } from '../../archive/move/abort-cutover.ts'
import { type CutoverReport, cutover } from '../../archive/move/cutover.ts'
import { type CommandContext, writeResult } from '../context/command-context.ts'
import { type NamedStores, type TwoStoresOptions, twoStoresCommand, withTwoStores } from './two-stores.ts'

interface CutoverOptions extends TwoStoresOptions {
  readonly abort?: true
}

const examples = `
The new database must be a copy: see \`coordinator copy\`. All records of both are compared first, while the old one takes writes. Then the
old one is frozen: its coordinators go on reading, and answer writes with 503 COORD_STORE_FROZEN. The copy gets the last changes, and
takes writes. Lineage and revisions stay the same.
A cutover that was interrupted goes on when the same command runs again; with --abort the old database takes writes again, unless the new
one does already. To go back later, run a cutover with --from and --to exchanged.

Examples:
  coordinator cutover --from old.env --to new.env
  coordinator cutover --from old.env --to new.env --abort
`

/** `coordinator cutover`: lets a copy take the place of its source. */
export function cutoverCommand(context: CommandContext): Command {
  return twoStoresCommand('cutover', 'Let a copy take the place of the database that it was copied from.')
    .option('--abort', 'undo a cutover that was interrupted: the old database takes writes again')
    .addHelpText('after', examples)
    .action(async (options: CutoverOptions) => {
      const { abort = false } = options
      const result = await withTwoStores(
        context,
        { ...options, opensTarget: !abort },
        async (move, names) => {
          if (abort) {
            const report = await abortCutover(move)
            return { value: report, text: abortText(report) }
          }
          const report = await cutover(move)
          return { value: report, text: cutoverText(report, names, options) }
        },
      )
      if (result !== undefined) writeResult(context, options, result)
    })
}

function cutoverText(
  { lineage, revision, pauseMs }: CutoverReport,
  names: NamedStores,
  { from, to }: CutoverOptions,
): string {
  // Only an earlier cutover leaves nothing to wait for.
  const done =
    pauseMs === 0
      ? `The cutover was done before: ${names.to} takes writes, with the history ${lineage}, and is at revision ${revision}.`
      : `${names.to} takes writes, with the history ${lineage} from revision ${revision} on. For ${pauseMs} ms, no database took writes.`
  return `${done}
${names.from} is frozen: its coordinators go on reading, and refuse writes.

Next:
1. Give the coordinators the settings in ${to}, and restart them, or start new ones and let clients use those.
2. Stop the coordinators with the settings in ${from}.
3. Keep the old database until you are sure. To go back without losing what is written from now on:
   coordinator cutover --from ${to} --to ${from}
`
}

function abortText({ opened, forked, position: { lineage, revision } }: AbortReport): string {
  if (!opened) return `Nothing was changed: the old database takes writes, and is at revision ${revision}.\n`
  if (!forked)
    return `The old database takes writes again, from revision ${revision} on. To try again, run \`coordinator copy\` first.\n`
  return `The old database takes writes again, from revision ${revision} on, with the new lineage ${lineage}: the new database could not be
reached, so that nobody knows whether it takes writes. Do not let clients use it. If it does, nobody mistakes its history for this one.\n`
}
