import { describe, expect, it } from 'vitest'
import {
  type AppliedMigration,
  checksumOf,
  loadMigrations,
  type Migration,
  reportMigrations,
} from '../../src/database/migrations/migration.ts'
import {
  type MigrationExecutor,
  migrationWarnings,
  runMigrations,
} from '../../src/database/migrations/runner.ts'

function migration(version: number, sql = `create table t${version} (a)`): Migration {
  return { version, name: `step-${version}`, sql, checksum: checksumOf(sql), oldestWriter: 1 }
}

function appliedAs({ version, name, sql, checksum }: Migration): AppliedMigration {
  return { version, name, sql, checksum, appliedAt: 1_000 + version }
}

/** A database that keeps a list of what ran; `fail` names the version that it refuses. */
function listExecutor(ran: AppliedMigration[], fail?: number): MigrationExecutor {
  return {
    async transaction(keep, work) {
      const before = [...ran]
      try {
        const result = await work({
          applied: () => [...ran],
          run: (step) => {
            if (step.version === fail) throw new Error('refused')
            ran.push(appliedAs(step))
          },
        })
        if (keep === 'nothing') ran.splice(0, ran.length, ...before)
        return result
      } catch (thrown) {
        ran.splice(0, ran.length, ...before)
        throw thrown
      }
    },
  }
}

describe('migrations', () => {
  it.each(['sqlite', 'postgres'] as const)(
    'of %s are numbered without a hole and name their oldest writer',
    (dialect) => {
      const migrations = loadMigrations(dialect)
      expect(migrations.length).toBeGreaterThan(0)
      expect(migrations.map(({ version }) => version)).toEqual(migrations.map((_, index) => index + 1))
      for (const { version, oldestWriter } of migrations) {
        expect(oldestWriter).toBeGreaterThan(0)
        expect(oldestWriter).toBeLessThanOrEqual(version)
      }
    },
  )

  it('have a checksum that line ends, trailing space and the end of the file do not change', () => {
    const sum = checksumOf('select 1\n\nselect 2\n')
    for (const same of [
      'select 1\r\n\r\nselect 2',
      'select 1  \n\t\nselect 2\n\n\n',
      'select 1\r\rselect 2\r',
    ])
      expect(checksumOf(same)).toBe(sum)
    for (const other of ['select 1\nselect 2\n', ' select 1\n\nselect 2\n', 'select 1\n\nselect  2\n'])
      expect(checksumOf(other)).not.toBe(sum)
  })
})

describe('running migrations', () => {
  const steps = [migration(1), migration(2), migration(3)]

  it('runs what is pending, in order, and reports it', async () => {
    const ran = [appliedAs(migration(1))]
    const report = await runMigrations(steps, listExecutor(ran))
    expect(ran.map(({ version }) => version)).toEqual([1, 2, 3])
    expect(report).toMatchObject({ from: 1, current: 3, target: 3 })
    expect(report.steps.map(({ state }) => state)).toEqual(['applied', 'applied', 'applied'])
  })

  it('says nothing of a former number where nothing was pending', async () => {
    const report = await runMigrations(steps, listExecutor(steps.map(appliedAs)))
    expect(report.current).toBe(3)
    expect(report).not.toHaveProperty('from')
  })

  it('keeps what ran before a failure', async () => {
    const ran: AppliedMigration[] = []
    await expect(runMigrations(steps, listExecutor(ran, 3))).rejects.toThrow('refused')
    expect(ran.map(({ version }) => version)).toEqual([1, 2])
  })

  it('keeps nothing of a dry run, which tries everything', async () => {
    const ran: AppliedMigration[] = []
    const report = await runMigrations(steps, listExecutor(ran), { dryRun: true })
    expect(ran).toEqual([])
    expect(report.steps.map(({ state }) => state)).toEqual(['pending', 'pending', 'pending'])
    await expect(runMigrations(steps, listExecutor(ran, 2), { dryRun: true })).rejects.toThrow('refused')
    expect(ran).toEqual([])
  })

  it('reports a migration that this program does not know', () => {
    const report = reportMigrations(steps.slice(0, 1), steps.slice(0, 2).map(appliedAs))
    expect(report).toMatchObject({ current: 2, target: 1 })
    expect(report.steps).toEqual([
      { version: 1, name: 'step-1', state: 'applied', appliedAt: 1_001, checksum: steps[0]?.checksum },
      { version: 2, name: 'step-2', state: 'unknown', appliedAt: 1_002, checksum: steps[1]?.checksum },
    ])
  })

  it('warns of a text that changed since it ran, with the difference', () => {
    const changed = migration(1, 'create table t1 (a, b)')
    const warnings = migrationWarnings(reportMigrations([changed], [appliedAs(migration(1))]))
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toContain('- create table t1 (a)\n+ create table t1 (a, b)')
    expect(migrationWarnings(reportMigrations(steps, steps.map(appliedAs)))).toEqual([])
  })
})
