import { hash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import type { MigrationReport, MigrationStep } from '../store.ts'
import { diffLines } from './diff-lines.ts'

/** A numbered SQL file. Migrations only go forward: a later one can revert its changes. */
export interface Migration {
  /** 1, 2, 3, ... without gaps. The highest is the schema number of this program. */
  readonly version: number
  /** The subject of the file, such as `tables`. */
  readonly name: string
  readonly sql: string
  readonly checksum: string
  /** After this migration, only programs with at least this schema number may still write. */
  readonly oldestWriter: number
}

/** A migration that ran: one row of the table `migrations`, the ledger of a database. */
export interface AppliedMigration {
  readonly version: number
  readonly name: string
  readonly checksum: string
  /** Epoch milliseconds. */
  readonly appliedAt: number
  /** The text that ran, if the ledger keeps it, so that a change can be shown line by line. */
  readonly sql?: string
}

const fileName = /^(\d{4})-([a-z0-9-]+)\.sql$/
const oldestWriterLine = /^-- oldest writer: (\d+)$/m

/**
 * The migrations of one dialect, in order: the files `NNNN-name.sql` in the folder beside this file. A line `-- oldest writer: N` in a file
 * says which programs can no longer write afterwards. Without this line all can.
 */
export function loadMigrations(dialect: 'postgres' | 'sqlite'): readonly Migration[] {
  const folder = new URL(`./${dialect}/`, import.meta.url)
  const files = readdirSync(folder)
    .filter((file) => file.endsWith('.sql'))
    .sort()
  let oldestWriter = 1
  return files.map((file, index) => {
    const [, digits, name] = fileName.exec(file) ?? []
    if (name === undefined || Number(digits) !== index + 1)
      throw new Error(`The migration ${file} is not number ${index + 1}`)
    const sql = readFileSync(new URL(file, folder), 'utf8')
    oldestWriter = Number(oldestWriterLine.exec(sql)?.[1] ?? oldestWriter)
    return { version: index + 1, name, sql, checksum: checksumOf(sql), oldestWriter }
  })
}

/** SHA-256 of the text. White space at the ends of lines does not count, because editors and checkouts change it. */
export function checksumOf(sql: string): string {
  return hash('sha256', normalised(sql), 'hex')
}

function normalised(sql: string): string {
  return `${sql
    .replace(/\r\n?/g, '\n')
    .replace(/[ \t]+$/gm, '')
    .trimEnd()}\n`
}

/** Compares the migrations of this program with those that ran: `changed` ran with another text, `unknown` is newer than this program. */
export function reportMigrations(
  migrations: readonly Migration[],
  applied: readonly AppliedMigration[],
): MigrationReport {
  const done = new Map(applied.map((step) => [step.version, step]))
  const known = migrations.map((migration): MigrationStep => {
    const { version, name, checksum, sql } = migration
    const step = done.get(version)
    if (step === undefined) return { version, name, state: 'pending', checksum }
    const found = { version, name, appliedAt: step.appliedAt, checksum: step.checksum }
    if (step.checksum === checksum) return { ...found, state: 'applied' }
    const diff = step.sql === undefined ? undefined : diffLines(normalised(step.sql), normalised(sql))
    return { ...found, state: 'changed', ...(diff === undefined ? {} : { diff }) }
  })
  const newer = applied
    .filter(({ version }) => version > migrations.length)
    .map(
      ({ version, name, appliedAt, checksum }): MigrationStep => ({
        version,
        name,
        appliedAt,
        checksum,
        state: 'unknown',
      }),
    )
  return {
    current: Math.max(0, ...applied.map(({ version }) => version)),
    target: migrations.length,
    steps: [...known, ...newer],
  }
}
