import { hash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import type { MigrationReport, MigrationStep } from '../store.ts'

/** A numbered file of SQL. Forward only: what it changed is taken back by a later one. */
export interface Migration {
  /** 1, 2, 3, ... without a hole. The highest is this program's schema number. */
  readonly version: number
  /** What the file is about, such as `tables`. */
  readonly name: string
  readonly sql: string
  readonly checksum: string
  /** The oldest schema number whose programs may still write once this one is applied. */
  readonly oldestWriter: number
}

/** What the ledger of a database says about a migration that ran. */
export interface AppliedMigration {
  readonly version: number
  readonly name: string
  readonly checksum: string
  /** Epoch milliseconds. */
  readonly appliedAt: number
}

const fileName = /^(\d{4})-([a-z0-9-]+)\.sql$/
const oldestWriterLine = /^-- oldest writer: (\d+)$/m

/**
 * The migrations of one dialect, in order: the files `NNNN-name.sql` in the folder beside this one. A line
 * `-- oldest writer: N` in a file says which programs can no longer write afterwards; without it all can.
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

/** SHA-256 of the text. White space at line ends does not count: editors and checkouts change it. */
export function checksumOf(sql: string): string {
  return hash('sha256', `${sql.replace(/[ \t\r]+$/gm, '').trimEnd()}\n`, 'hex')
}

/** Compares what should have run with what has: `changed` differs in its text, `unknown` is newer than this program. */
export function reportMigrations(
  migrations: readonly Migration[],
  applied: readonly AppliedMigration[],
): MigrationReport {
  const done = new Map(applied.map((step) => [step.version, step]))
  const known = migrations.map(({ version, name, checksum }): MigrationStep => {
    const step = done.get(version)
    if (step === undefined) return { version, name, state: 'pending', checksum }
    const state = step.checksum === checksum ? 'applied' : 'changed'
    return { version, name, state, appliedAt: step.appliedAt, checksum: step.checksum }
  })
  const newer = applied
    .filter(({ version }) => version > migrations.length)
    .map((step): MigrationStep => ({ ...step, state: 'unknown' }))
  return {
    current: Math.max(0, ...applied.map(({ version }) => version)),
    target: migrations.length,
    steps: [...known, ...newer],
  }
}
