import type { Findings } from './findings.ts'
import type { Environment } from './given-text.ts'
import { isConnectionString } from './postgres/connection-string.ts'
import { type PostgresTarget, parsePostgresUrl, parseReplicaUrl } from './postgres/postgres-url.ts'
import type { Secret } from './secret.ts'
import { parseSqliteUrl, type SqliteTarget } from './sqlite-url.ts'
import { describeKey, readSupabase, type SupabaseTarget, type SupabaseVariables } from './supabase.ts'

export interface MemoryTarget {
  readonly backend: 'memory'
}

/** The database that the environment names. */
export type DatabaseTarget = MemoryTarget | SqliteTarget | PostgresTarget | SupabaseTarget

export type BackendName = DatabaseTarget['backend']

export interface DatabaseVariables extends SupabaseVariables {
  readonly databaseUrl: string | undefined
}

/**
 * Chooses the backend: `DATABASE_URL` where it is set, else the Supabase project, else memory. An incomplete configuration is a
 * fault. Memory never replaces a database that was asked for.
 *
 * @returns `undefined` after a fault
 */
export function chooseDatabase(
  given: DatabaseVariables,
  findings: Findings,
  env: Environment,
): DatabaseTarget | undefined {
  const supabase = given.url ?? given.serviceKey ?? given.anonKey
  if (given.databaseUrl !== undefined) {
    if (supabase !== undefined) {
      findings.warn(`DATABASE_URL is used; the Supabase variables (${supabase.variable}, ...) are not.`)
    }
    return parseDatabaseUrl(given.databaseUrl, findings, env)
  }
  if (supabase !== undefined) return readSupabase(given, findings)
  noteLonelyVariables(env, findings)
  return { backend: 'memory' }
}

/** The variables of libpq alone choose no database, because other programs use them, too. */
function noteLonelyVariables(env: Environment, findings: Findings): void {
  const variable = ['PGHOST', 'PGHOSTADDR', 'PGSERVICE', 'PGDATABASE'].find((name) => env[name]?.trim())
  if (variable !== undefined)
    findings.warn(
      `${variable} is set, and DATABASE_URL is not, so everything is kept in memory. Set DATABASE_URL=postgres:// to use the database of the variables PG*.`,
    )
}

/** Describes the target in one line for people, without secrets. */
export function describeDatabase(target: DatabaseTarget): string {
  switch (target.backend) {
    case 'memory':
      return 'memory'
    case 'sqlite':
      return `sqlite ${target.path}`
    case 'postgres': {
      const hosts = target.hosts.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`)
      return `postgres ${target.user}@${hosts.join(',')}/${target.database}`
    }
    case 'supabase':
      return `supabase ${target.url} with a ${describeKey(target)}`
  }
}

/** The most replicas of a database. Each of them costs connections. */
const REPLICAS_MAX = 16

/**
 * Reads the URLs of the replicas, with white space between them. They belong to a database that is reached by PostgreSQL's own protocol:
 * PostgREST, behind the Data API of Supabase, repeats a read that a replica ended, without end.
 *
 * @param database where the records are; `undefined` after a fault
 */
export function readReplicas(
  text: string,
  database: DatabaseTarget | undefined,
  { findings, env }: { readonly findings: Findings; readonly env: Environment },
): readonly PostgresTarget[] {
  const variable = 'DATABASE_REPLICAS'
  if (database !== undefined && database.backend !== 'postgres')
    findings.fault(
      variable,
      'needs the PostgreSQL database of which they are replicas: set DATABASE_URL=postgres://..., or unset DATABASE_REPLICAS',
    )
  const urls = text.trim().split(/\s+/)
  if (urls.length > REPLICAS_MAX)
    findings.fault(variable, `has ${urls.length} URLs: the most are ${REPLICAS_MAX}`)
  const numbers = new Map<string, number>()
  return urls.slice(0, REPLICAS_MAX).flatMap((value, index) => {
    // Numbered as in `coordinator status`, and in the metrics.
    const name = `${variable} (replica ${index}; the first is 0)`
    if (!/^postgres(ql)?:\/\//i.test(value))
      return findings.fault(name, 'is not a URL that begins with postgres://', { missing: variable }) ?? []
    const target = parseReplicaUrl({ value, name, variable }, findings, env)
    if (target === undefined) return []
    const place = JSON.stringify([placesOf(target), target.database])
    const same = numbers.get(place)
    if (same !== undefined)
      findings.fault(name, `names the same servers as replica ${same}: remove one of them`, {
        missing: variable,
      })
    numbers.set(place, index)
    return [target]
  })
}

function placesOf({ hosts }: PostgresTarget): readonly string[] {
  return hosts.map(({ host, port, address = '' }) => JSON.stringify([host, port, address])).sort()
}

/** The secrets of a target, so that they can be removed from texts. */
export function secretsOf(target: DatabaseTarget): Secret[] {
  if (target.backend === 'supabase') return [target.key]
  return target.backend === 'postgres'
    ? [target.password, target.tls.keyPassword].flatMap((secret) => secret ?? [])
    : []
}

const sqliteAdvice = 'write sqlite:PATH for a SQLite file'
const supabaseAdvice = 'the URL of a Supabase project goes into SUPABASE_URL'
const otherAdvice = 'use postgres:, sqlite: or memory:'
const otherSchemes: Readonly<Record<string, string>> = {
  ...{ file: sqliteAdvice, libsql: sqliteAdvice, sqlite3: sqliteAdvice },
  ...{ http: supabaseAdvice, https: supabaseAdvice },
  ...{ mysql: otherAdvice, mariadb: otherAdvice, mongodb: otherAdvice, redis: otherAdvice },
}

function parseDatabaseUrl(value: string, findings: Findings, env: Environment): DatabaseTarget | undefined {
  const scheme = /^([a-z][a-z0-9+]*):/i.exec(value)?.[1]?.toLowerCase() ?? ''
  if (isConnectionString(value)) return parsePostgresUrl(value, findings, env)
  if (scheme === 'sqlite') return parseSqliteUrl(value, findings)
  if (/^memory:(\/\/)?$/i.test(value)) return { backend: 'memory' }
  // The text before the colon may be part of a password, so only a scheme from the list is repeated.
  const advice = Object.hasOwn(otherSchemes, scheme) ? otherSchemes[scheme] : undefined
  if (advice !== undefined)
    return findings.fault('DATABASE_URL', `begins with ${scheme}:, ${advice}`, {
      code: 'COORD_CONFIG_UNSUPPORTED',
    })
  return findings.fault(
    'DATABASE_URL',
    'cannot be read: write sqlite:PATH, postgres://user:password@host:5432/database, or memory:',
  )
}
