import { isIPv6 } from 'node:net'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import type { Findings } from '../findings.ts'
import type { Environment } from '../given-text.ts'
import { Secret } from '../secret.ts'
import { ConnectionFault, readConnectionString } from './connection-string.ts'
import { type Given, gatherParameters, type Parameters } from './libpq-parameters.ts'
import { type PostgresTls, readTls } from './postgres-tls.ts'
import { homeFolder } from './service-file.ts'

export interface PostgresHost {
  /** A name, an address, or the folder of a Unix socket, which begins with `/`. */
  readonly host: string
  readonly port: number
  /** The address to connect to instead of that of `host`. The certificate is still one for `host`. */
  readonly address?: string
}

const bindings = ['disable', 'prefer', 'require'] as const
const sessionKinds = ['any', 'read-write', 'read-only', 'primary', 'standby', 'prefer-standby'] as const

/** The servers that a connection may lead to, in the words of libpq (`target_session_attrs`). */
export type SessionKind = (typeof sessionKinds)[number]

/** The database of a connection string, and of the variables `PG*` where that leaves something open. */
export interface PostgresTarget {
  readonly backend: 'postgres'
  /** Candidates. The coordinator asks each whether it takes writes. */
  readonly hosts: readonly PostgresHost[]
  readonly user: string
  readonly password?: Secret
  /** The file where libpq looks for a password if none is given. It may not exist. */
  readonly passwordFile?: string
  readonly database: string
  readonly applicationName: string
  /** Options of the server for each session, such as `-c geqo=off`. */
  readonly options?: string
  /** Replaces `DATABASE_CONNECT_TIMEOUT_MS`. */
  readonly connectTimeoutMs?: number
  /** Whether the login is bound to the certificate of the server. */
  readonly channelBinding: (typeof bindings)[number]
  readonly tls: PostgresTls
  /** Which of the hosts of a replica may answer. Without it, a standby is preferred. Never set for the primary. */
  readonly sessionKind?: SessionKind
}

/**
 * Reads a URL of PostgreSQL, or parameters such as `host=... dbname=...`. Everything means what it means to libpq, and so to `psql`; or
 * it is a fault. Tests compare both.
 */
export function parsePostgresUrl(
  value: string,
  findings: Findings,
  env: Environment = {},
): PostgresTarget | undefined {
  try {
    return targetOf(gatherParameters(readConnectionString(value), { env, findings }), env)
  } catch (error) {
    if (!(error instanceof ConnectionFault)) throw error
    return findings.fault(error.variable, error.message)
  }
}

export interface ReplicaUrl {
  readonly value: string
  /** Names the URL in texts: `DATABASE_REPLICAS (replica 1; the first is 0)`. */
  readonly name: string
  /** The variable that holds it. */
  readonly variable: string
}

/** Reads the URL of a replica, as `parsePostgresUrl` does. It may ask for a standby, because nothing is written to it. */
export function parseReplicaUrl(
  { value, name, variable }: ReplicaUrl,
  findings: Findings,
  env: Environment,
): PostgresTarget | undefined {
  try {
    // What the variable says is meant for the primary.
    const own = { ...env, PGTARGETSESSIONATTRS: undefined }
    const sources = { env: own, findings, variable: name }
    const { target_session_attrs: session, ...parameters } = gatherParameters(
      readConnectionString(value),
      sources,
    )
    const kind = session === undefined ? undefined : readSessionKind(session)
    return { ...targetOf(parameters, own), ...(kind === undefined ? {} : { sessionKind: kind }) }
  } catch (error) {
    if (!(error instanceof ConnectionFault)) throw error
    const isOwn = error.variable === 'DATABASE_URL' || error.variable === name
    return findings.fault(isOwn ? name : error.variable, error.message, isOwn ? { missing: variable } : {})
  }
}

function readSessionKind({ text, from }: Given): SessionKind {
  const kind = sessionKinds.find((known) => known === text)
  if (kind === undefined)
    throw new ConnectionFault(
      `has an unknown target_session_attrs: use one of ${sessionKinds.join(', ')}`,
      from,
    )
  return kind
}

function targetOf(parameters: Parameters, env: Environment): PostgresTarget {
  requirePrimary(parameters.target_session_attrs)
  const hosts = readHosts(parameters)
  const tls = readTls(parameters, env)
  if (tls.mode === 'verify-full' && parameters.hostaddr !== undefined && textOf(parameters.host) === '')
    throw new ConnectionFault(
      'asks for verify-full, and has only the address of the server: write its name as host, too',
      parameters.sslmode?.from,
    )
  const user = textOf(parameters.user) || systemUser()
  const password = textOf(parameters.password)
  const home = homeFolder(env)
  const passwordFile = textOf(parameters.passfile) || (home === undefined ? '' : join(home, '.pgpass'))
  const options = textOf(parameters.options)
  const connectTimeoutMs = readTimeout(parameters.connect_timeout)
  return {
    backend: 'postgres',
    hosts,
    user,
    ...(password === '' ? {} : { password: new Secret(password) }),
    ...(passwordFile === '' ? {} : { passwordFile }),
    database: textOf(parameters.dbname) || user,
    applicationName:
      textOf(parameters.application_name) || textOf(parameters.fallback_application_name) || 'coordinator',
    ...(options === '' ? {} : { options }),
    ...(connectTimeoutMs === undefined ? {} : { connectTimeoutMs }),
    channelBinding: readBinding(parameters.channel_binding),
    tls,
  }
}

function textOf(given: Given | undefined): string {
  return given?.text ?? ''
}

function systemUser(): string {
  try {
    return userInfo().username
  } catch {
    throw new ConnectionFault(
      'names no user, and the user of this process has no name: write postgres://USER@...',
    )
  }
}

/** Lists of hosts, of their addresses and of their ports belong together. One port is that of all hosts. */
function readHosts({ host, hostaddr, port }: Parameters): PostgresHost[] {
  const [names, addresses, ports] = [listOf(host), listOf(hostaddr), listOf(port)]
  const count = (addresses ?? names ?? ['']).length
  if ((names ?? addresses)?.length !== (addresses ?? names)?.length)
    throw new ConnectionFault('has another number of addresses (hostaddr) than of hosts', hostaddr?.from)
  if (ports !== undefined && ports.length !== 1 && ports.length !== count)
    throw new ConnectionFault(
      'has a port for some hosts only: write one for all, or one for each',
      port?.from,
    )
  return Array.from({ length: count }, (_, index) => {
    const address = addresses?.[index] ?? ''
    const name = (names?.[index] ?? '') || address
    requireHost(name, host?.from)
    if (address !== '' && /[^\d.]/.test(address) && !isIPv6(address.replace(/%.*/, '')))
      throw new ConnectionFault(
        'has a hostaddr that is not an IP address: write names as host',
        hostaddr?.from,
      )
    return {
      host: name,
      port: readPort(ports?.[index] ?? ports?.[0] ?? '', port?.from),
      ...(address === '' || address === name ? {} : { address }),
    }
  })
}

function listOf(given: Given | undefined): string[] | undefined {
  return given === undefined || given.text === '' ? undefined : given.text.split(',')
}

function requireHost(name: string, from: string | undefined): void {
  // psql takes the folder that it was compiled with, which differs from system to system.
  if (name === '')
    throw new ConnectionFault(
      'has no host, and there is none in PGHOST: write the host, or the folder of the socket: postgres:///database?host=/var/run/postgresql',
      from,
    )
  if (name.startsWith('/') || isIPv6(name.replace(/%.*/, '')) || /^[^\s:@[\]/\\<>%]+$/.test(name)) return
  throw new ConnectionFault(
    'has no host that can be read: its form is postgres://user:password@host:5432/database, special characters of the password percent-encoded',
    from,
  )
}

function readPort(text: string, from: string | undefined): number {
  const port = text === '' ? 5432 : /^\d{1,5}$/.test(text) ? Number(text) : 0
  if (port < 1 || port > 65_535)
    throw new ConnectionFault('has a port that is not a number from 1 to 65535', from)
  return port
}

/** libpq waits without end for 0 or less. The coordinator then keeps its own limit. */
function readTimeout(given: Given | undefined): number | undefined {
  const seconds = Number(given?.text || 0)
  if (!Number.isInteger(seconds) || seconds > 3_600)
    throw new ConnectionFault(
      'has a connect_timeout that is not a whole number of seconds, of an hour at most',
      given?.from,
    )
  return seconds > 0 ? seconds * 1_000 : undefined
}

function readBinding(given: Given | undefined): PostgresTarget['channelBinding'] {
  const binding = given === undefined ? 'prefer' : bindings.find((known) => known === given.text)
  if (binding === undefined)
    throw new ConnectionFault(
      `has an unknown channel_binding: use one of ${bindings.join(', ')}`,
      given?.from,
    )
  return binding
}

/** Whatever libpq would be content with, a coordinator needs a server that takes writes. */
function requirePrimary(given: Given | undefined): void {
  if (given === undefined || /^(any|read-write|primary)$/.test(given.text)) return
  throw new ConnectionFault(
    /^(read-only|standby|prefer-standby)$/.test(given.text)
      ? 'asks for a server that cannot write: remove target_session_attrs'
      : 'has an unknown target_session_attrs: remove it, the coordinator finds the server that takes writes',
    given.from,
  )
}
