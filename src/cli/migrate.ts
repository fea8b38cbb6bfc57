import { Command, Option } from 'commander'
import { describeDatabase } from '../config/database.ts'
import { readSettings } from '../config/settings.ts'
import { emitSupabase } from '../database/migrations/emit-supabase.ts'
import { makeStore } from '../database/open.ts'
import type { Drift, MigrationReport, Migrator } from '../database/store.ts'
import { CoordinatorError } from '../errors.ts'
import type { CommandContext } from './command-context.ts'
import { textTable } from './text-table.ts'

interface MigrateOptions {
  readonly dryRun?: true
  readonly emit?: 'supabase'
  readonly allowAnon?: true
  readonly json?: true
}

const examples = `
The database is the one that the settings name (DATABASE_URL, or the Supabase variables). Migrations only go forward.

Examples:
  DATABASE_URL=sqlite:./data/coordinator.db coordinator migrate --dry-run
  DATABASE_URL=sqlite:./data/coordinator.db coordinator migrate
  coordinator migrate status
  coordinator migrate verify        compares the schema with the one that should be
  coordinator migrate --emit supabase > supabase/migrations/20260101000000_coordinator.sql
`

/** `coordinator migrate`: brings the schema of the database to this program's version. */
export function migrateCommand(context: CommandContext): Command {
  const migrate = new Command('migrate')
    .description('Bring the database schema to the version of this program.')
    .option('--dry-run', 'run what is pending in a transaction that is rolled back')
    .addOption(
      new Option('--emit <kind>', 'write the migrations as a file instead of running them').choices([
        'supabase',
      ]),
    )
    .option('--allow-anon', 'let the public key of the Supabase project read and write (everybody has it)')
    .option('--json', 'print JSON')
    .addHelpText('after', examples)
    .action(async (options: MigrateOptions) => {
      if (options.allowAnon === true) context.terminal.stderr.write(anonRisk)
      if (options.emit !== undefined) return emit(context, options)
      const dryRun = options.dryRun === true
      await withMigrator(context, async (migrator) => {
        const report = await migrator.migrate({ dryRun })
        if (options.allowAnon === true && !dryRun) await allowAnon(migrator)
        const verb = dryRun ? 'would be' : 'is'
        print(context, options, report, `${renderReport(report)}The schema ${verb} at ${report.target}.\n`)
      })
    })
  migrate
    .command('status')
    .description('Show which migrations ran and which are pending.')
    .option('--json', 'print JSON')
    .action(async (_options: MigrateOptions, command: Command) => {
      await withMigrator(context, async (migrator) => {
        const report = await migrator.status()
        const summary =
          report.current === report.target
            ? `The schema is at ${report.current}, as it should be.\n`
            : `The schema is at ${report.current}, this program brings ${report.target}: run \`coordinator migrate\`.\n`
        print(context, command.optsWithGlobals(), report, renderReport(report) + summary)
        if (report.current !== report.target) context.exit(1)
      })
    })
  migrate
    .command('verify')
    .description('Compare the schema with the one that should be; print the SQL that mends it.')
    .option('--json', 'print JSON')
    .action(async (_options: MigrateOptions, command: Command) => {
      await withMigrator(context, async (migrator) => {
        const drifts = await migrator.verify()
        print(context, command.optsWithGlobals(), drifts, renderDrifts(drifts))
        if (drifts.length > 0) context.exit(1)
      })
    })
  return migrate
}

async function withMigrator(
  { terminal }: CommandContext,
  work: (migrator: Migrator) => Promise<void>,
): Promise<void> {
  const settings = readSettings(terminal.env)
  const store = await makeStore(settings)
  try {
    terminal.stderr.write(`database: ${describeDatabase(settings.database)}\n`)
    if (store.migrator === undefined) terminal.stdout.write('There is nothing to migrate.\n')
    else await work(store.migrator)
  } finally {
    await store.close()
  }
}

const anonRisk =
  'WARNING: with --allow-anon everybody who has the public key of the project can read and write every record.\n'

async function allowAnon(migrator: Migrator): Promise<void> {
  if (migrator.allowAnon === undefined)
    throw new CoordinatorError('COORD_CLI_USAGE', {
      detail: 'The public key cannot be allowed from here.',
      hint: 'Set DATABASE_URL to the connection string of the Supabase project, or use `--emit supabase --allow-anon`.',
    })
  await migrator.allowAnon()
}

/** Writes the file to stdout, and its name, and what to do with it, to stderr. Needs no database. */
function emit({ terminal }: CommandContext, options: MigrateOptions): void {
  const { databaseSchema: schema } = readSettings({ DATABASE_SCHEMA: terminal.env['DATABASE_SCHEMA'] })
  const { name, sql } = emitSupabase({ schema, allowAnon: options.allowAnon === true })
  terminal.stdout.write(sql)
  terminal.stderr.write(
    `Save it as supabase/migrations/${name} and run \`supabase db push\`, or paste it into the SQL editor of the project.\n`,
  )
}

function print({ terminal }: CommandContext, { json }: MigrateOptions, value: unknown, text: string): void {
  terminal.stdout.write(json === true ? `${JSON.stringify(value)}\n` : text)
}

function renderReport({ steps }: MigrationReport): string {
  const rows = steps.map(({ version, name, state, appliedAt }) => [
    String(version).padStart(4, '0'),
    name,
    state,
    appliedAt === undefined ? '' : new Date(appliedAt).toISOString(),
  ])
  return textTable(rows)
}

function renderDrifts(drifts: readonly Drift[]): string {
  if (drifts.length === 0) return 'The schema is as it should be.\n'
  const differences = drifts.map(({ object, problem }) => `${object}: ${problem}\n`).join('')
  const repairs = drifts.map(({ repair }) => repair).filter((repair) => repair !== '')
  if (repairs.length === 0) return differences
  return `${differences}\nThis mends it:\n${repairs.join('\n')}\n`
}
