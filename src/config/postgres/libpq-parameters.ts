import { nearestWord } from '../../text/closest-word.ts'
import type { Findings } from '../findings.ts'
import type { Environment } from '../given-text.ts'
import { ConnectionFault, type Pair } from './connection-string.ts'
import { readService } from './service-file.ts'

/** The value of a parameter. */
export interface Given {
  readonly text: string
  /** The variable that gave it. */
  readonly from: string
}

/** The parameters that mean what they mean to libpq, each with its variable. Source: libpq documentation, version 18. */
const meant = {
  service: 'PGSERVICE',
  host: 'PGHOST',
  hostaddr: 'PGHOSTADDR',
  port: 'PGPORT',
  user: 'PGUSER',
  password: 'PGPASSWORD',
  passfile: 'PGPASSFILE',
  dbname: 'PGDATABASE',
  options: 'PGOPTIONS',
  application_name: 'PGAPPNAME',
  fallback_application_name: undefined,
  connect_timeout: 'PGCONNECT_TIMEOUT',
  channel_binding: 'PGCHANNELBINDING',
  target_session_attrs: 'PGTARGETSESSIONATTRS',
  sslmode: 'PGSSLMODE',
  sslnegotiation: 'PGSSLNEGOTIATION',
  sslcert: 'PGSSLCERT',
  sslkey: 'PGSSLKEY',
  sslpassword: undefined,
  sslcertmode: 'PGSSLCERTMODE',
  sslrootcert: 'PGSSLROOTCERT',
  sslcrl: 'PGSSLCRL',
  ssl_min_protocol_version: 'PGSSLMINPROTOCOLVERSION',
  ssl_max_protocol_version: 'PGSSLMAXPROTOCOLVERSION',
} as const

/** The values of the parameters above that were given. */
export type Parameters = Readonly<Partial<Record<keyof typeof meant, Given>>>

/**
 * Parameters that cannot change what the coordinator does. It notices dead connections by its own limits in time, always talks UTF-8, asks
 * all hosts at the same time, and uses neither GSSAPI nor compression.
 */
const harmless: ReadonlySet<string> = new Set([
  ...['keepalives', 'keepalives_idle', 'keepalives_interval', 'keepalives_count', 'tcp_user_timeout'],
  ...['client_encoding', 'load_balance_hosts', 'sslcompression', 'krbsrvname', 'gsslib'],
  'max_protocol_version',
])

interface Refused {
  readonly variable?: string
  /** The values that ask for nothing. */
  readonly nothing: RegExp
  readonly instead: string
}

const unset = 'remove it'

/** Parameters that ask for what the coordinator cannot do. Without it, a connection would be weaker than asked. */
const refused: Readonly<Record<string, Refused>> = {
  gssencmode: {
    variable: 'PGGSSENCMODE',
    nothing: /^(disable|prefer)$/,
    instead: 'encrypt with TLS, by sslmode=verify-full',
  },
  gssdelegation: { variable: 'PGGSSDELEGATION', nothing: /^0?$/, instead: unset },
  min_protocol_version: {
    variable: 'PGMINPROTOCOLVERSION',
    nothing: /^(3\.0)?$/,
    instead: 'the coordinator speaks version 3.0 of the protocol',
  },
  replication: { nothing: /^(false|off|no|0)?$/, instead: unset },
  require_auth: {
    variable: 'PGREQUIREAUTH',
    nothing: /^$/,
    instead: 'use channel_binding=require with sslmode=verify-full',
  },
  requirepeer: { variable: 'PGREQUIREPEER', nothing: /^$/, instead: unset },
  sslcrldir: { variable: 'PGSSLCRLDIR', nothing: /^$/, instead: 'name a file with sslcrl' },
  sslsni: { variable: 'PGSSLSNI', nothing: /^1?$/, instead: unset },
  ...Object.fromEntries(
    [
      ...['sslkeylogfile', 'scram_client_key', 'scram_server_key', 'servicefile'],
      ...['oauth_issuer', 'oauth_client_id', 'oauth_client_secret', 'oauth_scope'],
    ].map((name) => [name, { nothing: /^$/, instead: unset }]),
  ),
}

/** Parameters of other tools, and the setting that replaces each. libpq has no such parameters. */
const foreign: Readonly<Record<string, string>> = {
  connection_limit: ': set DATABASE_POOL_MAX',
  pgbouncer: '',
  pool_timeout: ': set DATABASE_ACQUIRE_TIMEOUT_MS',
  schema: ': set DATABASE_SCHEMA',
  statement_timeout: ': set DATABASE_STATEMENT_TIMEOUT_MS',
}

const known: ReadonlySet<string> = new Set([...Object.keys(meant), ...harmless, ...Object.keys(refused)])

export interface ParameterSources {
  readonly env: Environment
  readonly findings: Findings
  /** The variable with the connection string, as texts name it. @default 'DATABASE_URL' */
  readonly variable?: string
}

/**
 * Puts together the parameters of a connection string, those of the service that it or `PGSERVICE` names, and those of the variables
 * `PG*`. The earlier ones of these win, as in libpq.
 *
 * @throws ConnectionFault
 */
export function gatherParameters(
  pairs: readonly Pair[],
  { env, findings, variable = 'DATABASE_URL' }: ParameterSources,
): Parameters {
  const given = new Map<string, Given>()
  for (const [written, value, number] of pairs) {
    const [name, text] = spelled(written, value)
    if (known.has(name)) given.set(name, { text, from: variable })
    else if (Object.hasOwn(foreign, name)) {
      findings.warn(`${variable} has a parameter ${name} that is not used${foreign[name]}.`)
    } else throw unknownParameter(name, number)
  }
  const service = given.get('service') ?? fromVariable(meant.service, env)
  if (service !== undefined && service.text !== '') {
    for (const [name, text] of readService(service.text, service.from, env)) {
      if (!known.has(name))
        throw new ConnectionFault('names a service with a parameter that libpq does not have', service.from)
      if (!given.has(name)) given.set(name, { text, from: service.from })
    }
  }
  for (const [name, filling] of variablesOfParameters) {
    const found = fromVariable(filling, env)
    if (found !== undefined && !given.has(name)) given.set(name, found)
  }
  for (const [name, { text, from }] of given) {
    const rule = Object.hasOwn(refused, name) ? refused[name] : undefined
    if (rule !== undefined && !rule.nothing.test(text))
      throw new ConnectionFault(`asks for ${name}, which the coordinator cannot do: ${rule.instead}`, from)
  }
  return Object.fromEntries(given)
}

const variablesOfParameters: readonly (readonly [name: string, variable: string])[] = [
  ...Object.entries(meant),
  ...Object.entries(refused).map(([name, { variable }]) => [name, variable] as const),
].flatMap(([name, variable]) => (variable === undefined ? [] : [[name, variable] as const]))

function fromVariable(variable: string, env: Environment): Given | undefined {
  const text = env[variable] ?? ''
  return text.trim() === '' ? undefined : { text, from: variable }
}

/** Other spellings that libpq takes: `ssl=true` of JDBC, and `requiressl` of its own past. */
function spelled(name: string, text: string): Pair {
  if (name === 'requiressl') return ['sslmode', text.startsWith('1') ? 'require' : 'prefer']
  if (name !== 'ssl') return [name, text]
  if (text !== 'true') {
    throw new ConnectionFault('has the parameter ssl with another value than true: use sslmode instead')
  }
  return ['sslmode', 'require']
}

/** The name is not repeated, because it may be the rest of a password with a question mark. */
function unknownParameter(name: string, number = 0): ConnectionFault {
  const meantName = nearestWord(name, known, 2)
  return new ConnectionFault(
    `has a parameter that libpq does not have (number ${number}): ${meantName === undefined ? 'remove it, or write a question mark in the password as %3F' : `write ${meantName}, if that is meant`}`,
  )
}
