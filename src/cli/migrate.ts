import { Command, Option } from 'commander'
import { readSettings } from '../config/settings.ts'
import { emitSupabase } from '../database/migrations/emit-supabase.ts'
import { migrationWarnings } from '../database/migrations/runner.ts'
import type { Drift, MigrationReport, Migrator } from '../database/store.ts'
import { CoordinatorError } from '../errors.ts'
import {
  type CommandContext,
  examplesOf,
  type OutputOptions,
  withOutput,
  writeResult,
} from './context/command-context.ts'
import { readStoreSettings, withStore } from './context/with-store.ts'
import { textTable } from './terminal/text-table.ts'

interface MigrateOptions extends OutputOptions {
  readonly dryRun?: true
  readonly emit?: 'supabase'
  readonly allowAnon?: true
  readonly forbidAnon?: true
}

const examples = `
The database is the one that the settings name (DATABASE_URL, or the Supabase variables). Migrations only go forward.

Examples:
  DATABASE_URL=sqlite:./data/coordinator.db coordinator migrate --dry-run
  DATABASE_URL=sqlite:./data/coordinator.db coordinator migrate
  coordinator migrate status
  coordinator migrate verify        compares the schema with the expected one
  coordinator migrate --emit supabase > supabase/migrations/20260101000000_coordinator.sql
`

/** `coordinator migrate`: brings the schema of the database to the version of this program. */
export function migrateCommand(context: CommandContext): Command {
  const migrate = withOutput(new Command('migrate'))
    .description('Bring the database schema to the version of this program.')
    .option('--dry-run', 'run pending migrations in a transaction, and roll it back')
    .addOption(
      new Option('--emit <kind>', 'write the migrations as a file instead of running them')
        .choices(['supabase'])
        .conflicts(['dryRun', 'json', 'output']),
    )
    .option('--allow-anon', 'let the public key of the Supabase project read and write (everybody has it)')
    .addOption(
      new Option('--forbid-anon', 'take back the rights that --allow-anon gave').conflicts('allowAnon'),
    )
    .addHelpText('after', examples)
    .action(async (options: MigrateOptions) => {
      if (options.allowAnon === true) context.terminal.stderr.write(anonRisk)
      if (options.emit !== undefined) return emit(context, options)
      const dryRun = options.dryRun === true
      await withMigrator(context, options, async (migrator) => {
        // Check this first, so that the command does either everything or nothing.
        if (decidesOnAnon(options) && migrator.allowAnon === undefined) throw anonNotPossible()
        const report = await migrator.migrate({ dryRun })
        if (options.allowAnon === true && !dryRun) await migrator.allowAnon?.()
        if (options.forbidAnon === true && !dryRun) await migrator.forbidAnon?.()
        const verb = dryRun ? 'would be' : 'is'
        const text = `${renderReport(report)}The schema ${verb} at ${report.target}.\n`
        writeResult(context, options, { value: report, text })
      })
    })
  const subcommand = (
    [name, about]: readonly [string, string],
    work: (migrator: Migrator, options: MigrateOptions) => Promise<void>,
  ) =>
    withOutput(migrate.command(name))
      .description(about)
      .addHelpText('after', examplesOf(`migrate ${name}`, examples))
      .action((_options: MigrateOptions, command: Command) => {
        const options = command.optsWithGlobals<MigrateOptions>()
        return withMigrator(context, options, (migrator) => work(migrator, options))
      })
  subcommand(['status', 'Show which migrations ran and which are pending.'], async (migrator, options) => {
    const report = await migrator.status()
    writeResult(context, options, { value: report, text: renderReport(report) + summaryOf(report, migrator) })
    if (report.current !== report.target) context.exit(1)
  })
  subcommand(
    ['verify', 'Compare the schema with the expected one, and print the SQL that mends it.'],
    async (migrator, options) => {
      await requireOwnSchema(migrator)
      const drifts = await migrator.verify()
      writeResult(context, options, { value: drifts, text: renderDrifts(drifts) })
      if (drifts.some(({ problem }) => problem !== 'optional')) context.exit(1)
    },
  )
  return migrate
}

function summaryOf({ current, target }: MigrationReport, { howToMigrate }: Migrator): string {
  if (current === target) return `The schema is at ${current}, as it should be.\n`
  const next = current > target ? 'Upgrade the coordinator.' : (howToMigrate ?? 'Run `coordinator migrate`.')
  return `The schema is at ${current}, this program brings ${target}. ${next}\n`
}

async function withMigrator(
  context: CommandContext,
  options: MigrateOptions,
  work: (migrator: Migrator) => Promise<void>,
): Promise<void> {
  const { terminal } = context
  await withStore(readStoreSettings(terminal.env), terminal, async ({ migrator }) => {
    if (migrator !== undefined) await work(migrator)
    else if (decidesOnAnon(options)) throw anonNotPossible()
    else writeResult(context, options, { value: null, text: nothingToMigrate })
  })
}

const nothingToMigrate =
  'There is nothing to migrate in memory. Set DATABASE_URL, or the Supabase variables, if there is a database.\n'

/** SQL for a schema of another version would repair nothing, or would undo changes of a newer version. */
async function requireOwnSchema(migrator: Migrator): Promise<void> {
  const { current, target } = await migrator.status()
  if (current === target) return
  if (current > target)
    throw new CoordinatorError('COORD_SCHEMA_NEWER', {
      detail: `The schema is at ${current}, this program brings ${target}, and does not know how a newer one should be.`,
    })
  throw new CoordinatorError('COORD_SCHEMA_OLD', {
    detail:
      current === 0
        ? 'There is no schema yet that could be compared.'
        : `The schema is at ${current}, this program brings ${target}: it can be compared once it is migrated.`,
    hint: migrator.howToMigrate ?? 'Run `coordinator migrate`.',
  })
}

const anonRisk =
  'WARNING: with --allow-anon everybody who has the public key of the project can read and write every record.\n'

function decidesOnAnon({ allowAnon, forbidAnon }: MigrateOptions): boolean {
  return allowAnon === true || forbidAnon === true
}

function anonNotPossible(): CoordinatorError {
  return new CoordinatorError('COORD_CLI_USAGE', {
    detail: 'The rights of the public key cannot be changed from here.',
    hint: 'Set DATABASE_URL to the connection string of the Supabase project, or add `--emit supabase`.',
  })
}

/** Writes the file to stdout, and instructions to stderr. Needs no database. */
function emit({ terminal }: CommandContext, options: MigrateOptions): void {
  const { databaseSchema: schema } = readSettings({ DATABASE_SCHEMA: terminal.env['DATABASE_SCHEMA'] })
  const { name, sql } = emitSupabase({
    schema,
    allowAnon: options.allowAnon === true,
    forbidAnon: options.forbidAnon === true,
  })
  terminal.stdout.write(sql)
  terminal.stderr.write(
    `Save it as supabase/migrations/${name} and run \`supabase db push\`, or paste it into the SQL editor of the project.\n`,
  )
}

function renderReport(report: MigrationReport): string {
  const { steps, locks = [] } = report
  const rows = steps.map(({ version, name, state, appliedAt }) => [
    String(version).padStart(4, '0'),
    name,
    state,
    appliedAt === undefined ? '' : new Date(appliedAt).toISOString(),
  ])
  return [
    textTable(rows),
    ...locks.map((lock) => `lock: ${lock}\n`),
    ...migrationWarnings(report).map((warning) => `${warning}\n`),
  ].join('')
}

function renderDrifts(drifts: readonly Drift[]): string {
  if (drifts.length === 0) return 'The schema is as it should be.\n'
  const differences = drifts.map(({ object, problem }) => `${object}: ${problem}\n`).join('')
  const repairs = drifts.map(({ repair }) => repair).filter((repair) => repair !== '')
  if (repairs.length === 0) return differences
  return `${differences}\nThis mends it:\n${repairs.join('\n')}\n`
}
