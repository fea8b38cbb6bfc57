import { type Command, InvalidArgumentError, Option } from 'commander'
import { filesOf, type Inventory, readInventory } from '../../archive/inventory/inventory.ts'
import { momentsOf } from '../../archive/inventory/moments.ts'
import { planRestore, type RestoreTarget } from '../../archive/inventory/plan-restore.ts'
import type { RestorePlan } from '../../archive/inventory/restore-plan.ts'
import { CoordinatorError } from '../../errors.ts'
import { quoted } from '../../text/quoted.ts'
import { readTime } from '../../text/read-time.ts'
import { collect } from '../context/command-context.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { lineageOption, type OpenArchive } from './open-archive.ts'
import { timeText } from './sizes.ts'

/** The options that say which moment is meant. */
export interface TargetOptions {
  readonly at?: number
  readonly revision?: number
  readonly before?: string
  readonly history?: true
  readonly lineage?: string
  readonly without?: readonly string[]
}

/** Gives a command the options that say which moment is meant. */
export function withTarget(command: Command): Command {
  return command
    .addOption(
      new Option('--at <time>', 'the state at this time, such as 2026-01-31T12:00:00Z (default: the newest)')
        .argParser(readAt)
        .conflicts(['revision', 'before']),
    )
    .addOption(
      new Option('--revision <number>', 'the state at this revision')
        .argParser(readRevision)
        .conflicts(['before']),
    )
    .option('--before <commit>', 'the state before the commit with this id')
    .option('--history', 'begin with the oldest base, so that the history before that moment comes, too')
    .addOption(lineageOption())
    .option(
      '--without <file>',
      'do without this file of the archive, which is damaged; repeat it for several',
      collect,
    )
}

/**
 * Chooses what has to be read. Warns on stderr if the archive ends before the time that is meant.
 *
 * @throws COORD_ARCHIVE_EMPTY, COORD_ARCHIVE_SEVERAL, COORD_ARCHIVE_CONTRADICTION, and what destinations throw
 */
export async function planOf(
  { lineage, revision, at, before, history, without = [] }: TargetOptions,
  { destination, identities, signal }: OpenArchive,
  { stderr }: Terminal,
): Promise<RestorePlan> {
  const inventory = await readInventory(destination, { identities, signal })
  requireFiles(inventory, without)
  const target: RestoreTarget = {
    ...(lineage === undefined ? {} : { lineage }),
    ...(revision === undefined ? {} : { revision }),
    ...(at === undefined ? {} : { at }),
    ...(before === undefined ? {} : { beforeCommit: before.toLowerCase() }),
  }
  const plan = await planRestore(inventory, target, { history: history === true, excluded: new Set(without) })
  if (at !== undefined) stderr.write(await endsBefore(at, plan, inventory))
  return plan
}

/** A warning if the archive has nothing after the plan, and the plan ends before a time; otherwise nothing. */
async function endsBefore(at: number, plan: RestorePlan, inventory: Inventory): Promise<string> {
  const lineage = inventory.lineages.find((each) => each.lineage === plan.lineage)
  const end = lineage && (await momentsOf(inventory, lineage)).at(-1)?.to
  if (end?.at === undefined || end.at >= at || end.revision !== plan.target.revision) return ''
  return `warning: the archive ends at revision ${end.revision}, of ${timeText(end.at)}. If more was written until ${timeText(at)}, it is not there.\n`
}

/** A name that was mistyped would leave the damaged file in the plan. @throws COORD_CLI_USAGE */
function requireFiles({ lineages }: Inventory, names: readonly string[]): void {
  if (names.length === 0) return
  const known = new Set(lineages.flatMap(({ trail }) => filesOf(trail)).map(({ name }) => name))
  const unknown = names.find((name) => !known.has(name))
  if (unknown === undefined) return
  throw new CoordinatorError('COORD_CLI_USAGE', {
    detail: `The archive has no file ${quoted(unknown)}.`,
    hint: 'Copy the name from the message, or from `coordinator backup verify`: it begins with the lineage.',
  })
}

function readAt(text: string): number {
  const at = readTime(text)
  if (at === undefined)
    throw new InvalidArgumentError('It must be a time with a zone, such as 2026-01-31T12:00:00Z.')
  return at
}

function readRevision(text: string): number {
  const revision = Number(text)
  if (!/^\d{1,16}$/.test(text) || !Number.isSafeInteger(revision))
    throw new InvalidArgumentError('It must be a revision: a whole number from 0 on.')
  return revision
}
