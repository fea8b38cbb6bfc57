import type { MigrationReport } from '../store.ts'
import { type AppliedMigration, type Migration, reportMigrations } from './migration.ts'

type Awaitable<T> = T | Promise<T>

/** An open transaction in which migrations run. */
export interface MigrationSession {
  /** The migrations that ran, by version. */
  applied(): Awaitable<readonly AppliedMigration[]>
  /**
   * Runs one migration. Its ledger row is written first. If two programs start together and the lock does not separate them, the second one
   * stops at the key of that row, and not halfway through `create table`.
   */
  run(migration: Migration): Awaitable<void>
}

/** How migrations run on one kind of database. */
export interface MigrationExecutor {
  /**
   * Runs `work` in its own transaction, under a lock that only one migrating program holds at a time. Creates the ledger first if it is
   * missing. Everything is rolled back if `work` throws, or if `keep` is `nothing`.
   */
  transaction<T>(keep: 'all' | 'nothing', work: (session: MigrationSession) => Awaitable<T>): Awaitable<T>
}

/**
 * Brings a schema up to date. Each pending migration has its own transaction, so that a failed one changes nothing and the earlier ones
 * remain. Another program may migrate at the same time: its migrations do not run again.
 *
 * @returns with `dryRun`, the report from before; everything pending ran once and was rolled back
 */
export async function runMigrations(
  migrations: readonly Migration[],
  executor: MigrationExecutor,
  options: { readonly dryRun?: boolean } = {},
): Promise<MigrationReport> {
  if (options.dryRun === true)
    return await executor.transaction('nothing', async (session) => {
      const applied = await session.applied()
      for (const migration of pendingMigrations(migrations, applied)) await session.run(migration)
      return reportMigrations(migrations, applied)
    })
  for (let from: number | undefined; ; ) {
    const report = await executor.transaction('all', async (session) => {
      const applied = await session.applied()
      const next = pendingMigrations(migrations, applied)[0]
      const reached = reportMigrations(migrations, applied)
      if (next === undefined) return from === undefined ? reached : { ...reached, from }
      await session.run(next)
      from ??= reached.current
      return undefined
    })
    if (report !== undefined) return report
  }
}

export function pendingMigrations(
  migrations: readonly Migration[],
  applied: readonly AppliedMigration[],
): readonly Migration[] {
  const done = new Set(applied.map(({ version }) => version))
  return migrations.filter(({ version }) => !done.has(version))
}

/** Warns about each migration that ran with another text than the one in this program. The warning shows the difference. */
export function migrationWarnings({ steps }: MigrationReport): readonly string[] {
  return steps
    .filter(({ state }) => state === 'changed')
    .map(
      ({ version, name, diff }) =>
        `Migration ${version} (${name}) ran with another text than this program brings.${diff === undefined ? '' : `\n${diff}`}`,
    )
}
