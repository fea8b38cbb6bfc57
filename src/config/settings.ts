import { CoordinatorError } from '../errors.ts'
import { type AccessSettings, readAccess } from './access-settings.ts'
import { type BackupSettings, checkBackup } from './backup-settings.ts'
import { type BackendName, chooseDatabase, type DatabaseTarget, readReplicas, secretsOf } from './database.ts'
import { Findings } from './findings.ts'
import { type Environment, givenText, variableOf } from './given-text.ts'
import { warnOfMisspellings } from './misspellings.ts'
import type { PostgresTarget } from './postgres/postgres-url.ts'
import { Secret } from './secret.ts'
import type { Setting } from './setting.ts'
import { checkSnapshots, type SnapshotSettings } from './snapshot-settings.ts'
import { type SectionValues, settingsTable } from './table.ts'

type Sections = typeof settingsTable
type Section = Sections[keyof Sections]

/** The settings that together give `database`. */
type Source = 'databaseUrl' | 'databaseReplicas' | keyof Sections['supabase']

/** Every setting, checked. `table.ts` has the descriptions, units and defaults. */
export interface Settings
  extends SectionValues<Sections['server']>,
    SectionValues<Sections['access']>,
    Omit<SectionValues<Sections['database']>, Source>,
    SectionValues<Sections['live']>,
    BackupSettings,
    SnapshotSettings {
  readonly database: DatabaseTarget
  /** The replicas of the database, in the order of `DATABASE_REPLICAS`. */
  readonly databaseReplicas: readonly PostgresTarget[]
  /** The settings `AUTH` and `AUTH_*`, put together. */
  readonly access: AccessSettings
  readonly coordinatorUrl: string
  readonly coordinatorToken: Secret | undefined
  readonly coordinatorNamespace: string | undefined
  /** Warnings for the log at start. Without secrets. */
  readonly warnings: readonly string[]
}

/** The settings of a command that talks to a running coordinator. */
type ClientSection = Pick<Settings, 'coordinatorUrl' | 'coordinatorToken' | 'coordinatorNamespace'>

export type ClientSettings = ClientSection & Pick<Settings, 'logLevel' | 'logFormat'>

export interface ReadOptions {
  /** Whether the program brings its own store, instead of the one in the settings. @default false */
  readonly ownStore?: boolean
}

/**
 * Reads and checks every setting. An empty variable counts as unset.
 *
 * @throws COORD_CONFIG_INVALID, COORD_CONFIG_INCOMPLETE or COORD_CONFIG_UNSUPPORTED, with all faults at once
 */
export function readSettings(
  env: Environment = process.env,
  { ownStore = false }: ReadOptions = {},
): Settings {
  const findings = new Findings()
  const { databaseUrl, databaseReplicas: replicaUrls, ...tuning } = settingsTable.database
  const database = readDatabase(env, findings)
  const urls = givenText(replicaUrls, env, findings)
  const databaseReplicas = urls === undefined ? [] : readReplicas(urls.text, database, { findings, env })
  const reader: Reader = { env, findings, backend: database?.backend ?? 'memory' }
  const server = readSection(settingsTable.server, reader)
  const values = readSection(settingsTable.access, reader)
  const live = readSection(settingsTable.live, reader)
  const rest = readSection(tuning, reader)
  const backup = readSection(settingsTable.backup, reader)
  checkBackup(backup, findings)
  const snapshot = readSection(settingsTable.snapshot, reader)
  checkSnapshots(snapshot, { database, ownStore }, findings)
  const client = readClient(reader, server.port)
  if (live.pollMinMs > live.pollMaxMs) {
    findings.fault('POLL_MIN_MS', 'is greater than POLL_MAX_MS: lower it, or raise the other')
  }
  const access = readAccess({ env, values, host: server.host, database, ownStore }, findings)
  warnOfMisspellings(env, findings)
  findings.throwFaults()
  // There is no fallback to memory: it must never replace a database that was asked for.
  if (database === undefined) throw new CoordinatorError('COORD_INTERNAL')
  const { warnings } = findings
  return Object.freeze({
    ...{ ...server, ...values, ...rest, ...live, ...backup, ...snapshot },
    ...{ database, databaseReplicas, access, ...client, warnings },
  })
}

function readDatabase(env: Environment, findings: Findings): DatabaseTarget | undefined {
  const { databaseUrl } = settingsTable.database
  const { supabaseUrl, supabaseServiceKey, supabaseAnonKey } = settingsTable.supabase
  let unreadable = false
  const given = (definition: Setting<unknown>) => {
    const found = givenText(definition, env, findings)
    if (found === undefined && variableOf(definition, env) !== undefined) unreadable = true
    return found
  }
  const variables = {
    databaseUrl: given(databaseUrl)?.text,
    url: given(supabaseUrl),
    serviceKey: given(supabaseServiceKey),
    anonKey: given(supabaseAnonKey),
  }
  // What is missing because of a fault must not look like what was never set.
  if (unreadable) return undefined
  // Beside DATABASE_URL, the URL of the project only says whose users sign in.
  const signsIn = env[settingsTable.access.authJwtIssuer.name]?.trim() === 'supabase'
  const url = signsIn && variables.databaseUrl !== undefined ? undefined : variables.url
  return chooseDatabase({ ...variables, url }, findings, env)
}

/**
 * Reads only what a client needs, so that a wrong setting of the database does not stop a command.
 *
 * @throws COORD_CONFIG_INVALID
 */
export function readClientSettings(env: Environment = process.env): ClientSettings {
  const reader: Reader = { env, findings: new Findings(), backend: 'memory' }
  const { port, logLevel, logFormat } = settingsTable.server
  const values = readSection({ port, logLevel, logFormat }, reader)
  const client = readClient(reader, values.port)
  reader.findings.throwFaults()
  return Object.freeze({ ...client, logLevel: values.logLevel, logFormat: values.logFormat })
}

/**
 * Reads only the settings of the backups, for commands that need no database.
 *
 * @throws COORD_CONFIG_INVALID, COORD_CONFIG_INCOMPLETE
 */
export function readBackupSettings(env: Environment = process.env): BackupSettings {
  const reader: Reader = { env, findings: new Findings(), backend: 'memory' }
  const values = readSection(settingsTable.backup, reader)
  checkBackup(values, reader.findings)
  reader.findings.throwFaults()
  return Object.freeze(values)
}

/** Every secret text in the settings, so that it can be removed from logs. */
export function secretTexts(
  settings: object & Partial<Pick<Settings, 'database' | 'databaseReplicas'>>,
): string[] {
  const { database, databaseReplicas = [] } = settings
  const targets = [...(database === undefined ? [] : [database]), ...databaseReplicas]
  const secrets = [...targets.flatMap(secretsOf), ...Object.values(settings)]
  const texts = secrets.flatMap((value: unknown) => (value instanceof Secret ? [value.reveal()] : []))
  return [...new Set(texts)]
}

interface Reader {
  readonly env: Environment
  readonly findings: Findings
  readonly backend: BackendName
}

function readSection<S extends Section | Partial<Section>>(section: S, reader: Reader): SectionValues<S> {
  const values: Record<string, unknown> = {}
  for (const [key, definition] of Object.entries<Setting<unknown>>(section))
    values[key] = readValue(definition, reader)
  return values as SectionValues<S>
}

function readValue<T>(definition: Setting<T>, { env, findings, backend }: Reader): T | undefined {
  const fallback = definition.defaultFor?.[backend] ?? definition.default
  const found = givenText(definition, env, findings)
  if (found === undefined) return fallback
  const parsed = definition.kind.schema.safeParse(found.text)
  if (parsed.success) return parsed.data
  const unit = definition.unit === undefined ? '' : `, in ${definition.unit}`
  findings.fault(found.variable, `must be ${definition.kind.label.replaceAll('`', '')}${unit}`)
  return fallback
}

function readClient(reader: Reader, port: number): ClientSection {
  const { coordinatorUrl, ...others } = readSection(settingsTable.client, reader)
  return { coordinatorUrl: coordinatorUrl ?? urlOnThisMachine(reader.env, port), ...others }
}

/** The coordinator with the same settings. A certificate is rather for a name than for an address. */
function urlOnThisMachine(env: Environment, port: number): string {
  const isSecure = variableOf(settingsTable.access.tlsCertFile, env) !== undefined
  return isSecure ? `https://localhost:${port}` : `http://127.0.0.1:${port}`
}
