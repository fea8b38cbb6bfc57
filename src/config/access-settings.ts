import { isProtected } from './access-kinds.ts'
import { type DatabaseTarget, secretsOf } from './database.ts'
import type { Findings } from './findings.ts'
import { type Environment, variableOf } from './given-text.ts'
import { isLoopback } from './loopback.ts'
import type { Secret } from './secret.ts'
import { readSupabaseUrl } from './supabase.ts'
import { type SectionValues, settingsTable } from './table.ts'

/**
 * Who has to prove who it is. `open`: nobody, because only this machine reaches the coordinator. `off`: nobody, on purpose. `required`:
 * everybody.
 */
export type AccessMode = 'open' | 'required' | 'off'

/** The settings of access, checked together. */
export interface AccessSettings {
  readonly mode: AccessMode
  /** What requests without a credential may do where `mode` is `required`. */
  readonly anonymous: 'none' | 'read'
  readonly adminToken?: Secret
  readonly metricsToken?: Secret
  /** Epoch milliseconds. What was issued earlier is refused. */
  readonly notBefore?: number
  readonly jwt?: JwtSettings
}

/** Which JWTs are accepted. */
export interface JwtSettings {
  /** The claim `iss`, exactly. */
  readonly issuer: string
  /** A member of the claim `aud`. */
  readonly audience: string
  /** Where the public keys are. @default the issuer says it; there are none with `secret` */
  readonly jwksUrl?: string
  /** The key of HS256. */
  readonly secret?: Secret
  /** The claim with the scopes, or a path with dots. */
  readonly scopeClaim: string
  /** Whether the issuer is a Supabase project, whose own roles are refused. */
  readonly supabase: boolean
}

type Values = SectionValues<typeof settingsTable.access>

/** What the rules of access look at. */
export interface AccessSources {
  readonly env: Environment
  readonly values: Values
  /** HOST */
  readonly host: string
  /** `undefined` after a fault */
  readonly database: DatabaseTarget | undefined
  /** Whether the program brings its own store. @default false */
  readonly ownStore: boolean
}

const table = settingsTable.access
/** The settings that have an effect only with AUTH=required. */
const onlyRequired = Object.values(table).filter(({ name }) => /^AUTH_/.test(name))
const onlyJwt = [
  table.authJwtAudience,
  table.authJwksUrl,
  table.authJwtSecret,
  table.authJwtScopeClaim,
] as const

/** Puts the settings of access together. Notes every contradiction as a fault. */
export function readAccess(sources: AccessSources, findings: Findings): AccessSettings {
  const { env, values } = sources
  const mode = values.auth ?? 'open'
  noteTls(sources, findings)
  // A wrong value of AUTH is a fault of its own. What it was meant to be is not known.
  if (values.auth === undefined && variableOf(table.auth, env) !== undefined)
    return { mode, anonymous: 'none' }
  noteMode(sources, findings)
  if (mode !== 'required') {
    noteUseless(onlyRequired, sources, (name) =>
      findings.fault(name, `has no effect without AUTH=required: set AUTH=required, or unset ${name}`),
    )
    return { mode, anonymous: 'none' }
  }
  noteRequired(sources, findings)
  noteEqualSecrets(sources, findings)
  notePlainText(sources, findings)
  const jwt = readJwt(sources, findings)
  const { authAdminToken: adminToken, authMetricsToken: metricsToken, authNotBefore: notBefore } = values
  if (notBefore !== undefined && notBefore > Date.now())
    findings.warn('AUTH_NOT_BEFORE is in the future: until then, every token and every JWT is refused.')
  return {
    ...{ mode, anonymous: values.authAnonymous },
    ...(adminToken === undefined ? {} : { adminToken }),
    ...(metricsToken === undefined ? {} : { metricsToken }),
    ...(notBefore === undefined ? {} : { notBefore }),
    ...(jwt === undefined ? {} : { jwt }),
  }
}

function noteMode({ values, host }: AccessSources, findings: Findings): void {
  const unset = values.auth === undefined
  if (unset && !isLoopback(host))
    findings.fault(
      'HOST',
      'is an address that other machines can reach, and AUTH is not set: set AUTH=required, or AUTH=off if everybody who reaches this port may change everything',
      { missing: 'AUTH' },
    )
  if (values.auth === 'off')
    findings.warn('AUTH is off: everybody who reaches the port can read and change everything.')
  if (unset && values.trustedProxies.length > 0)
    findings.warn(
      'TRUSTED_PROXIES has no effect while AUTH is not set: requests that a proxy has forwarded get 403. Set AUTH=required or AUTH=off.',
    )
}

function noteTls({ env }: AccessSources, findings: Findings): void {
  const [cert, key] = [table.tlsCertFile, table.tlsKeyFile]
  for (const [one, other] of [[cert, key] as const, [key, cert] as const])
    if (variableOf(one, env) !== undefined && variableOf(other, env) === undefined)
      findings.fault(one.name, `is set without ${other.name}: set both, or none`, { missing: other.name })
}

function noteRequired({ env, database, ownStore }: AccessSources, findings: Findings): void {
  const canSignIn = [table.authAdminToken, table.authJwtIssuer].some(
    (definition) => variableOf(definition, env) !== undefined,
  )
  if (database?.backend === 'memory' && !ownStore && !canSignIn)
    findings.fault(
      'AUTH=required',
      'lets nobody in, because memory keeps no tokens: set AUTH_ADMIN_TOKEN to a secret of at least 32 characters, or AUTH_JWT_ISSUER, or DATABASE_URL',
      { missing: 'AUTH_ADMIN_TOKEN' },
    )
  if (database?.backend === 'supabase' && database.access === 'anon' && !ownStore)
    findings.fault(
      'AUTH=required',
      `needs the secret key of the Supabase project, because everybody may have the public one (${database.keyVariable}): set SUPABASE_SERVICE_ROLE_KEY`,
      { missing: 'SUPABASE_SERVICE_ROLE_KEY' },
    )
}

function notePlainText({ env, host }: AccessSources, findings: Findings): void {
  if (isLoopback(host) || variableOf(table.tlsCertFile, env) !== undefined) return
  findings.warn(
    'Credentials cross the network unencrypted, unless a proxy encrypts them: set TLS_CERT_FILE and TLS_KEY_FILE.',
  )
}

/** One secret for two purposes gives whoever may have it for the one the rights of the other. */
function noteEqualSecrets({ values, database }: AccessSources, findings: Findings): void {
  const named: readonly (readonly [string, Secret | undefined])[] = [
    ...(database === undefined ? [] : secretsOf(database)).map(
      (secret) => ['the credential of the database', secret] as const,
    ),
    ['AUTH_JWT_SECRET', values.authJwtSecret],
    ['AUTH_METRICS_TOKEN', values.authMetricsToken],
    ['AUTH_ADMIN_TOKEN', values.authAdminToken],
  ]
  const owners = new Map<string, string>()
  for (const [name, secret] of named) {
    const text = secret?.reveal()
    if (text === undefined) continue
    const owner = owners.get(text)
    if (owner === undefined) owners.set(text, name)
    else findings.fault(name, `has the same value as ${owner}: give it a secret of its own`)
  }
}

function readJwt(sources: AccessSources, findings: Findings): JwtSettings | undefined {
  const { env, values } = sources
  const { authJwtIssuer: issuer, authJwtScopeClaim: scopeClaim, authJwtSecret: secret } = values
  if (scopeClaim.split('.', 1)[0] === 'user_metadata')
    findings.fault(
      table.authJwtScopeClaim.name,
      'is under user_metadata, which users can change themselves: name another claim, such as app_metadata.coordinator',
    )
  if (variableOf(table.authJwtIssuer, env) === undefined)
    noteUseless(onlyJwt, sources, (name) =>
      findings.fault(name, `has no effect without AUTH_JWT_ISSUER: set AUTH_JWT_ISSUER, or unset ${name}`, {
        missing: 'AUTH_JWT_ISSUER',
      }),
    )
  if (issuer === undefined) return undefined
  const supabase = issuer === 'supabase'
  const derived = supabase ? ofSupabase(sources, findings) : { issuer }
  const { authJwtAudience: audience = derived?.audience, authJwksUrl: jwksUrl = derived?.jwksUrl } = values
  if (derived === undefined) return undefined
  if (variableOf(table.authJwtAudience, env) === undefined && !supabase)
    findings.fault(
      'AUTH_JWT_ISSUER',
      'is set without AUTH_JWT_AUDIENCE: set it to the audience (aud) that the issuer gives to JWTs for this coordinator, or JWTs for other services would be accepted',
      { missing: 'AUTH_JWT_AUDIENCE' },
    )
  if (!supabase && findsKeys(env) && !isProtected(new URL(issuer)))
    findings.fault(
      'AUTH_JWT_ISSUER',
      'begins with http://, so its keys could be exchanged on their way: set AUTH_JWKS_URL to a protected address of the keys, or AUTH_JWT_SECRET for HS256',
      { missing: 'AUTH_JWKS_URL' },
    )
  if (audience === undefined) return undefined
  return {
    ...{ issuer: derived.issuer, audience, scopeClaim, supabase },
    ...(jwksUrl === undefined ? {} : { jwksUrl }),
    ...(secret === undefined ? {} : { secret }),
  }
}

/** Whether the keys are found with the help of the issuer, because no setting says where they are. */
function findsKeys(env: Environment): boolean {
  return [table.authJwksUrl, table.authJwtSecret].every((one) => variableOf(one, env) === undefined)
}

interface DerivedJwt {
  readonly issuer: string
  readonly audience?: string
  readonly jwksUrl?: string
}

/** What the Auth server of a Supabase project puts into its JWTs, and where its keys are. */
function ofSupabase({ env, values, database }: AccessSources, findings: Findings): DerivedJwt | undefined {
  const url = urlOfProject({ env, database }, findings)
  if (url === undefined) return undefined
  const issuer = `${url}/auth/v1`
  const jwksUrl = `${issuer}/.well-known/jwks.json`
  if (!isProtected(new URL(jwksUrl)) && values.authJwksUrl === undefined)
    return findings.fault(
      'AUTH_JWT_ISSUER=supabase',
      'needs a SUPABASE_URL that begins with https://, or public keys could be exchanged on their way: correct it, or set AUTH_JWKS_URL',
      { missing: 'SUPABASE_URL' },
    )
  return { issuer, audience: 'authenticated', jwksUrl }
}

function urlOfProject(
  { env, database }: Pick<AccessSources, 'env' | 'database'>,
  findings: Findings,
): string | undefined {
  if (database?.backend === 'supabase') return database.url
  const { supabaseUrl } = settingsTable.supabase
  const text = env[supabaseUrl.name]?.trim() ?? ''
  if (text === '')
    return findings.fault(
      'AUTH_JWT_ISSUER=supabase',
      'needs SUPABASE_URL: set it to the URL of the project whose users sign in',
      { missing: 'SUPABASE_URL' },
    )
  // Without DATABASE_URL, the Supabase variables were already checked, and their fault is known.
  const isElsewhere = variableOf(settingsTable.database.databaseUrl, env) !== undefined
  return isElsewhere ? readSupabaseUrl(text, findings) : undefined
}

function noteUseless(
  definitions: readonly { readonly name: string; readonly secret?: true }[],
  { env }: AccessSources,
  note: (variable: string) => void,
): void {
  for (const definition of definitions) {
    const variable = variableOf(definition, env)
    if (variable !== undefined) note(variable)
  }
}
