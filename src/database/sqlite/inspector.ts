import { statSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import type { Inspection } from '../store.ts'
import { readLedger } from './migrator.ts'

/** Facts about a database file, for people. `database` is the connection that writes. */
export function inspectFile(database: DatabaseSync, file: string): Inspection {
  const pageSize = numberOf(pragma(database, 'page_size'))
  return {
    serverVersion: String(database.prepare('select sqlite_version() as version').get()?.['version']),
    schemaVersion: readLedger(database).at(-1)?.version ?? 0,
    details: {
      file,
      fileBytes: sizeOf(file),
      walBytes: sizeOf(`${file}-wal`),
      freeBytes: numberOf(pragma(database, 'freelist_count')) * pageSize,
      pageBytes: pageSize,
      journalMode: String(pragma(database, 'journal_mode')),
      synchronous: synchronousName(numberOf(pragma(database, 'synchronous'))),
      busyTimeoutMs: numberOf(pragma(database, 'busy_timeout')),
      checkpointPages: numberOf(pragma(database, 'wal_autocheckpoint')),
      atAheadMs: Math.max(0, numberOf(database.prepare('select at from head').get()?.['at']) - Date.now()),
    },
  }
}

function pragma(database: DatabaseSync, name: string): unknown {
  return Object.values(database.prepare(`pragma ${name}`).get() ?? {})[0]
}

/** https://sqlite.org/pragma.html#pragma_synchronous */
function synchronousName(level: number): string {
  return ['off', 'normal', 'full', 'extra'][level] ?? String(level)
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0
}
