import { type Command, InvalidArgumentError } from 'commander'
import { restore } from '../archive/restore/restore.ts'
import { describeDatabase } from '../config/database.ts'
import { CoordinatorError } from '../errors.ts'
import { type ArchiveOptions, archiveCommand, type OpenArchive, withArchive } from './backup/open-archive.ts'
import { restorePart } from './backup/restore-part.ts'
import { planValue, renderPlan, renderReport, reportValue } from './backup/restore-report.ts'
import { planOf, type TargetOptions, withTarget } from './backup/restore-target.ts'
import { showProgress } from './backup/show-progress.ts'
import { type CommandContext, collect, writeResult } from './context/command-context.ts'
import { readStoreSettings, withStore } from './context/with-store.ts'

export interface RestoreCommandOptions extends ArchiveOptions, TargetOptions {
  readonly only?: readonly string[]
  readonly file?: string
  readonly dryRun?: true
  readonly patience: number
}

const examples = `
Restores a moment from the backups into an EMPTY database: a new file, another schema in DATABASE_SCHEMA, or a new database. The
database is the one that the settings name. Services that register again meanwhile write into the old one, which stays as it is.

Until the command is done, the database serves nothing. After an interruption, run the command again: it goes on.

With --only, a part of the records is put back into a database that is in use, by ordinary commits. Records that did not exist at
that moment stay. PART is service:NAME, service:NAMESPACE/NAME, service:*, node:ID, edge:ID or namespace:NAME.

docs/restore.md tells step by step what to do on the day you need it.

Examples:
  DATABASE_URL=sqlite:./data/new.db coordinator restore --from file:///srv/backup --dry-run
  DATABASE_URL=sqlite:./data/new.db coordinator restore --from file:///srv/backup
  coordinator restore --env-file new.env --at 2026-01-31T12:00:00Z
  coordinator restore --before 6f1c1f0e-58a4-4c55-9a53-7a4c2d3c9b11
  coordinator restore --only service:cart --at 2026-01-31T12:00:00Z --dry-run
  coordinator restore --only namespace:shop --revision 4711 --file shop.jsonl     for coordinator import
`

/** `coordinator restore`: brings a moment back from the backups. */
export function restoreCommand(context: CommandContext): Command {
  return withTarget(archiveCommand('restore', 'Restore a moment from the backups into an empty database.'))
    .option('--only <part>', 'put only this back, into a database in use; repeat it for several', collect)
    .option('-f, --file <path>', 'with --only: write a file for coordinator import instead')
    .option('--dry-run', 'write nothing, and show what would be done')
    .option(
      '--patience <seconds>',
      'how long to keep trying while the archive or the database does not answer',
      readSeconds,
      60,
    )
    .addHelpText('after', examples)
    .action((options: RestoreCommandOptions) => runRestore(options, context))
}

async function runRestore(options: RestoreCommandOptions, context: CommandContext): Promise<void> {
  if (options.file !== undefined && options.only === undefined)
    throw new CoordinatorError('COORD_CLI_USAGE', {
      detail: '--file belongs to --only.',
      hint: 'Run the command with --help.',
    })
  await withArchive(
    options,
    context,
    async (archive) => {
      if (options.only !== undefined) await restorePart(options, archive, context)
      else await restoreAll(options, archive, context)
    },
    'Interrupted. Run the same command again: it goes on where it was.',
  )
}

async function restoreAll(
  options: RestoreCommandOptions,
  archive: OpenArchive,
  context: CommandContext,
): Promise<void> {
  const { terminal } = context
  const { destination, identities, env, signal } = archive
  const settings = readStoreSettings(env)
  if (settings.database.backend === 'memory' && options.dryRun !== true) throw noDatabase()
  const plan = await planOf(options, archive, context.terminal)
  if (options.dryRun === true)
    return writeResult(context, options, { value: planValue(plan), text: renderPlan(plan) })
  // The database is new: its schema is made here, whatever AUTO_MIGRATE says for coordinators. Nobody waits for its answers, and a call
  // carries more than those of coordinators.
  const patient = {
    databaseReplicas: [],
    autoMigrate: true,
    databaseStatementTimeoutMs: Math.max(CALL_TIMEOUT_MS, settings.databaseStatementTimeoutMs),
  }
  await withStore({ ...settings, ...patient }, terminal, async (store) => {
    const progress = showProgress(terminal)
    const onProgress = progress.update
    const patience = { patienceMs: options.patience * 1_000, signal }
    const report = await restore({ destination, identities, store, plan, patience, onProgress }).finally(
      progress.stop,
    )
    writeResult(context, options, {
      value: reportValue(report),
      text: renderReport(report, describeDatabase(settings.database)),
    })
  })
}

/** How long one call of the database may take at least. */
const CALL_TIMEOUT_MS = 60_000

function noDatabase(): CoordinatorError {
  return new CoordinatorError('COORD_CLI_USAGE', {
    detail: 'No database is set, into which the backup could be restored.',
    hint: 'Set DATABASE_URL, or the Supabase variables, to an empty database, or give them with --env-file.',
  })
}

function readSeconds(text: string): number {
  const seconds = Number(text)
  if (text.trim() === '' || !Number.isFinite(seconds) || seconds < 0 || seconds > 86_400)
    throw new InvalidArgumentError('It must be a number of seconds, from 0 to 86400.')
  return seconds
}
