import { CoordinatorError } from '../errors.ts'
import { type BackendName, chooseDatabase, type DatabaseTarget, secretOf } from './database.ts'
import { Findings } from './findings.ts'
import { isLoopback } from './loopback.ts'
import { warnOfMisspellings } from './misspellings.ts'
import type { Setting, SettingValue } from './setting.ts'
import type { GivenText } from './supabase.ts'
import { settingsTable } from './table.ts'

type Sections = typeof settingsTable
type Section = Sections[keyof Sections]
type SectionValues<S> = { readonly [K in keyof S]: SettingValue<S[K]> }

/** The settings that together give `database`. */
type Source = 'databaseUrl' | keyof Sections['supabase']

/** Every setting, checked. `table.ts` has the descriptions, units and defaults. */
export interface Settings
  extends SectionValues<Sections['server']>,
    Omit<SectionValues<Sections['database']>, Source>,
    SectionValues<Sections['live']> {
  readonly database: DatabaseTarget
  readonly coordinatorUrl: string
  /** Warnings for the log at start. Without secrets. */
  readonly warnings: readonly string[]
}

/** The settings of a command that talks to a running coordinator. */
export type ClientSettings = Pick<Settings, 'coordinatorUrl' | 'logLevel' | 'logFormat'>

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Reads and checks every setting. An empty variable counts as unset.
 *
 * @throws COORD_CONFIG_INVALID, COORD_CONFIG_INCOMPLETE or COORD_CONFIG_UNSUPPORTED, with all faults at once
 */
export function readSettings(env: Environment = process.env): Settings {
  const findings = new Findings()
  const { databaseUrl, ...tuning } = settingsTable.database
  const { supabaseUrl, supabaseServiceKey, supabaseAnonKey } = settingsTable.supabase
  const given = (definition: Setting<unknown>) => givenText(definition, env, findings)
  const variables = {
    databaseUrl: given(databaseUrl)?.text,
    url: given(supabaseUrl),
    serviceKey: given(supabaseServiceKey),
    anonKey: given(supabaseAnonKey),
  }
  const database = chooseDatabase(variables, findings)
  const reader: Reader = { env, findings, backend: database?.backend ?? 'memory' }
  const server = readSection(settingsTable.server, reader)
  const live = readSection(settingsTable.live, reader)
  const rest = readSection(tuning, reader)
  const coordinatorUrl = readCoordinatorUrl(reader, server.port)
  if (live.pollMinMs > live.pollMaxMs) {
    findings.fault('POLL_MIN_MS', 'is greater than POLL_MAX_MS: lower it, or raise the other')
  }
  if (!isLoopback(server.host)) {
    findings.warn(
      'HOST is not a loopback address, and there is no authentication yet: everybody who reaches the port can read and write.',
    )
  }
  warnOfMisspellings(env, findings)
  findings.throwFaults()
  // There is no fallback to memory: it must never replace a database that was asked for.
  if (database === undefined) throw new CoordinatorError('COORD_INTERNAL')
  const { warnings } = findings
  return Object.freeze({ ...server, ...rest, ...live, database, coordinatorUrl, warnings })
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
  const coordinatorUrl = readCoordinatorUrl(reader, values.port)
  reader.findings.throwFaults()
  return Object.freeze({ coordinatorUrl, logLevel: values.logLevel, logFormat: values.logFormat })
}

/** Every secret text in the settings, so that it can be removed from logs. */
export function secretTexts(settings: Pick<Settings, 'database'>): string[] {
  const secret = secretOf(settings.database)
  return secret === undefined ? [] : [secret.reveal()]
}

interface Reader {
  readonly env: Environment
  readonly findings: Findings
  readonly backend: BackendName
}

/** The text of a variable or of its alias; `undefined` if neither is set. */
function givenText(
  definition: Setting<unknown>,
  env: Environment,
  findings: Findings,
): GivenText | undefined {
  const texts = [definition.name, ...(definition.aliases ?? [])]
    .map((variable) => ({ variable, text: env[variable]?.trim() ?? '' }))
    .filter(({ text }) => text !== '')
  const [first, second] = texts
  if (first === undefined) return undefined
  if (second !== undefined && second.text !== first.text) {
    findings.warn(`${first.variable} is used; ${second.variable} is another name for it, with another value.`)
  }
  // `docker run --env-file` keeps quotation marks as part of the value.
  const unquoted = /^(["'])(.*)\1$/s.exec(first.text)?.[2]
  if (unquoted === undefined) return first
  findings.fault(first.variable, 'has quotation marks around its value: remove them')
  return { variable: first.variable, text: unquoted }
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

function readCoordinatorUrl(reader: Reader, port: number): string {
  return readValue(settingsTable.client.coordinatorUrl, reader) ?? `http://127.0.0.1:${port}`
}
