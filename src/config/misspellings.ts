import { nearestWord } from '../text/closest-word.ts'
import type { Findings } from './findings.ts'
import { variablesOf } from './given-text.ts'
import type { Setting } from './setting.ts'
import { settingsTable } from './table.ts'

/** Names of variables in other tools, each with the name of the same setting here. */
const foreignNames: Readonly<Record<string, string>> = {
  SUPABASE_KEY: 'SUPABASE_SERVICE_ROLE_KEY',
  SUPABASE_API_KEY: 'SUPABASE_SERVICE_ROLE_KEY',
  SUPABASE_SERVICE_KEY: 'SUPABASE_SERVICE_ROLE_KEY',
  SUPABASE_SERVICE_ROLE: 'SUPABASE_SERVICE_ROLE_KEY',
  NEXT_PUBLIC_SUPABASE_URL: 'SUPABASE_URL',
  NEXT_PUBLIC_SUPABASE_ANON_KEY: 'SUPABASE_ANON_KEY',
  VITE_SUPABASE_URL: 'SUPABASE_URL',
  VITE_SUPABASE_ANON_KEY: 'SUPABASE_ANON_KEY',
  POSTGRES_URL: 'DATABASE_URL',
  AUTH_ENABLED: 'AUTH',
  AUTH_MODE: 'AUTH',
  AUTH_REQUIRED: 'AUTH',
  AUTH_ADMIN: 'AUTH_ADMIN_TOKEN',
  AUTH_METRICS: 'AUTH_METRICS_TOKEN',
  AUTH_TOKEN: 'AUTH_ADMIN_TOKEN',
  ADMIN_TOKEN: 'AUTH_ADMIN_TOKEN',
  TLS_CERT: 'TLS_CERT_FILE',
  TLS_KEY: 'TLS_KEY_FILE',
  TRUST_PROXY: 'TRUSTED_PROXIES',
  TRUSTED_PROXY: 'TRUSTED_PROXIES',
}

/** Names that resemble a setting and are none. OpenSSL reads its certificate authorities from SSL_CERT_FILE. */
const ownNames: ReadonlySet<string> = new Set(['SSL_CERT_FILE', 'OAUTH'])

/** Whoever sets such a variable wants to protect something, so it is never passed over in silence. */
const protects = /^(AUTH|TLS)_/

/** Warns of variables that are no settings, and whose names resemble a setting that is not set, or begin like one of protection. */
export function warnOfMisspellings(
  env: Readonly<Record<string, string | undefined>>,
  findings: Findings,
): void {
  const known = new Set(
    Object.values(settingsTable).flatMap((section) =>
      Object.values<Setting<unknown>>(section).flatMap(variablesOf),
    ),
  )
  for (const [name, value] of Object.entries(env)) {
    if (known.has(name) || ownNames.has(name) || (value ?? '').trim() === '') continue
    const foreign = Object.hasOwn(foreignNames, name) ? foreignNames[name] : undefined
    // A short name resembles too many others, but AUTH decides about everything.
    const meant = foreign ?? (name.length < 8 ? nearestWord(name, ['AUTH'], 1) : nearestWord(name, known, 2))
    const isMissing = meant !== undefined && (env[meant] ?? '').trim() === ''
    if (isMissing || protects.test(name))
      findings.warn(`${name} is not a setting and is not read.${isMissing ? ` Is ${meant} meant?` : ''}`)
  }
}
