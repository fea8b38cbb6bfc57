import type { Findings } from './findings.ts'
import type { GivenText } from './given-text.ts'
import { Secret } from './secret.ts'

/**
 * The kind of a key, by its form: `legacy` is a JWT, `publishable` and `secret` begin with `sb_`. A self-hosted project may use
 * keys of any `other` form.
 */
export type SupabaseKeyKind = 'legacy' | 'publishable' | 'secret' | 'other'

/** The rights of a key. `anon` means everybody: it can write only where the schema was migrated with `--allow-anon`. */
export type SupabaseAccess = 'service' | 'anon'

export interface SupabaseTarget {
  readonly backend: 'supabase'
  /** Base URL of the project, without a slash at its end. */
  readonly url: string
  readonly key: Secret
  readonly keyKind: SupabaseKeyKind
  readonly access: SupabaseAccess
  /** The variable with the key, for messages. */
  readonly keyVariable: string
}

export interface SupabaseVariables {
  readonly url: GivenText | undefined
  readonly serviceKey: GivenText | undefined
  readonly anonKey: GivenText | undefined
}

const exampleUrl = 'https://PROJECT.supabase.co'

/** The Supabase project that the variables name. `undefined` if none is named, or after a fault. */
export function readSupabase(given: SupabaseVariables, findings: Findings): SupabaseTarget | undefined {
  const key = given.serviceKey ?? given.anonKey
  if (given.url === undefined && key === undefined) return undefined
  const code = 'COORD_CONFIG_INCOMPLETE'
  if (key === undefined)
    return findings.fault(
      'SUPABASE_URL',
      'is set without a key: set SUPABASE_SERVICE_ROLE_KEY (or SUPABASE_SECRET_KEY), or unset SUPABASE_URL to run in memory',
      { code, missing: 'SUPABASE_SERVICE_ROLE_KEY' },
    )
  if (given.url === undefined)
    return findings.fault(
      key.variable,
      `is set without SUPABASE_URL: set SUPABASE_URL to ${exampleUrl}, or unset the key to run in memory`,
      { code, missing: 'SUPABASE_URL' },
    )
  const url = readSupabaseUrl(given.url.text, findings)
  const known = readKey(key, findings)
  if (url === undefined || known === undefined) return undefined
  const { kind, role, project } = known
  const host = /^https:\/\/([a-z]{20})\.supabase\.(?:co|in)$/.exec(url)?.[1]
  if (host !== undefined && project !== undefined && host !== project)
    return findings.fault(
      key.variable,
      "belongs to another project than SUPABASE_URL: copy both from the same project's API settings",
    )
  const named = key === given.serviceKey ? 'service' : 'anon'
  const access = role ?? named
  const warning = roleWarning(key.variable, named, access)
  if (warning !== undefined) findings.warn(warning)
  const { variable: keyVariable, text } = key
  return { backend: 'supabase', url, key: new Secret(text), keyKind: kind, access, keyVariable }
}

/** The key for logs and answers: its kind and its constant prefix, and no secret part of it. */
export function describeKey({ keyKind, access }: Pick<SupabaseTarget, 'keyKind' | 'access'>): string {
  if (keyKind === 'legacy') return `legacy ${access === 'service' ? 'service_role' : 'anon'} key (eyJ...)`
  if (keyKind === 'other') return `key of unknown kind, used as ${access}`
  return `${keyKind} key (sb_${keyKind}_...)`
}

/** The headers that authenticate a request. The gateway refuses a key that is no JWT as a bearer token. */
export function keyHeaders({ key, keyKind }: SupabaseTarget): Record<string, string> {
  const apikey = key.reveal()
  const isToken = keyKind === 'legacy' || keyKind === 'other'
  return isToken ? { apikey, authorization: `Bearer ${apikey}` } : { apikey }
}

/** The base URL of a project, without a slash at its end. */
export function readSupabaseUrl(text: string, findings: Findings): string | undefined {
  const fault = (message: string) => findings.fault('SUPABASE_URL', message)
  if (/^postgres(ql)?:/i.test(text)) return fault('holds a database URL: put that into DATABASE_URL')
  if (/^(sb_|eyJ)/.test(text))
    return fault(`holds a key: set it to ${exampleUrl}, and the key in its own variable`)
  const url = URL.parse(text)
  if (url === null) return fault(`is not a URL: write ${exampleUrl}`)
  if (!/^https?:$/.test(url.protocol))
    return fault('must begin with https:// (or http:// for a local project)')
  if (url.protocol === 'http:' && /\.supabase\.(co|in)$/.test(url.hostname))
    return fault('must begin with https://: the key would go over the network in clear text')
  if (url.username + url.password !== '') return fault('holds credentials: remove them, the key is enough')
  if (/(^|\.)supabase\.com$/.test(url.hostname))
    return fault(`is an address of the dashboard: write the project's API URL, ${exampleUrl}`)
  if (url.search + url.hash !== '') return fault(`has a query or a fragment: write ${exampleUrl}`)
  const base = url.href.replace(/\/+$/, '')
  if (!base.endsWith('/rest/v1')) return base
  findings.warn('SUPABASE_URL ends with /rest/v1, which is left out: the URL of the project is enough.')
  return base.slice(0, -'/rest/v1'.length)
}

interface KnownKey {
  readonly kind: SupabaseKeyKind
  /** The rights that the key names; `undefined` if it names none. */
  readonly role: SupabaseAccess | undefined
  /** The project that the key names; `undefined` if it names none. */
  readonly project?: string
}

function readKey({ variable, text }: GivenText, findings: Findings): KnownKey | undefined {
  const fault = (message: string) => findings.fault(variable, message)
  if (/^https?:/i.test(text))
    return fault('holds a URL: set it to the key from the API settings of the project')
  // A key goes into a header. A character that a header cannot hold comes from a copying error.
  if (!/^[\x21-\x7e]+$/.test(text))
    return fault('has a character that no key has, such as a space or a line break: copy it again')
  if (text.startsWith('sb_secret_')) return { kind: 'secret', role: 'service' }
  if (text.startsWith('sb_publishable_')) return { kind: 'publishable', role: 'anon' }
  if (!text.startsWith('eyJ')) {
    findings.warn(`${variable} is neither a JWT nor an sb_ key; it is sent as it stands.`)
    return { kind: 'other', role: undefined }
  }
  const claims = readClaims(text)
  if (claims === undefined) return fault('looks like a JWT and cannot be read: copy the whole key again')
  const role = claims['role'] === 'service_role' ? 'service' : claims['role'] === 'anon' ? 'anon' : undefined
  return { kind: 'legacy', role, ...(typeof claims['ref'] === 'string' ? { project: claims['ref'] } : {}) }
}

function readClaims(token: string): Record<string, unknown> | undefined {
  const parts = token.split('.')
  if (parts.length !== 3) return undefined
  try {
    const claims: unknown = JSON.parse(Buffer.from(parts[1] ?? '', 'base64url').toString())
    return typeof claims === 'object' && claims !== null ? (claims as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

/** Warns of a key with the rights `access` in a variable for keys with the rights `named`. */
function roleWarning(variable: string, named: SupabaseAccess, access: SupabaseAccess): string | undefined {
  if (access === 'service')
    return named === 'service'
      ? undefined
      : `${variable} holds a secret (service) key: keep it out of browsers, and move it to SUPABASE_SERVICE_ROLE_KEY.`
  return named === 'service'
    ? `${variable} holds a public (anon) key, and is used as one: it persists only with --allow-anon.`
    : `Only a public key is set (${variable}): it persists only where the schema was migrated with --allow-anon, and then everybody who has the key can write. Set SUPABASE_SERVICE_ROLE_KEY.`
}
