import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { promisify } from 'node:util'
import type { PostgresServer } from './postgres.ts'

/** The programs of PostgreSQL 15, where a distribution puts them. The npm package has only the server. */
const programs = ['/usr/lib/postgresql/15/bin', '/usr/pgsql-15/bin'].find((folder) => {
  try {
    return readdirSync(folder).includes('pg_dump')
  } catch {
    return false
  }
})

const run = promisify(execFile)

/** Why a test of dumps cannot run; `undefined` if it can. */
export const noPgDump: string | undefined =
  programs === undefined ? 'pg_dump of PostgreSQL 15 not installed' : undefined

/** The SQL that `pg_dump` writes of a server of version 15. */
export async function dump(server: PostgresServer, ...args: readonly string[]): Promise<string> {
  return (await run(`${programs}/pg_dump`, [...args, server.url()], { maxBuffer: 1e9 })).stdout
}

/** Runs a dump with `psql`, which stops at the first error. */
export async function restoreDump(server: PostgresServer, sql: string): Promise<void> {
  const child = run(`${programs}/psql`, ['-q', '-v', 'ON_ERROR_STOP=1', server.url()])
  child.child.stdin?.end(sql)
  await child
}
