import type { Findings } from './findings.ts'
import { Secret } from './secret.ts'

/** How a connection is encrypted, in the words of libpq. Only `verify-ca` and `verify-full` prove who answers. */
export type TlsMode = (typeof tlsModes)[number]

export interface PostgresHost {
  /** A name, an address, or the folder of a Unix socket, which begins with `/`. */
  readonly host: string
  readonly port: number
}

/** The database of a URL. For absent parts the driver uses the variables `PG*` and the name of the system's user. */
export interface PostgresTarget {
  readonly backend: 'postgres'
  /** Candidates. The coordinator asks each whether it takes writes. */
  readonly hosts: readonly PostgresHost[]
  readonly user?: string
  readonly password?: Secret
  readonly database?: string
  readonly tls: {
    readonly mode: TlsMode
    /** Files in PEM form: the certificate authority, and the client's own certificate and key. */
    readonly caFile?: string
    readonly certFile?: string
    readonly keyFile?: string
  }
}

const tlsModes = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const
const hostPattern = /^(\[[0-9a-f:.]+\]|[^\s:@[\]/\\<>]+)?(?::(\d{1,5}))?$/i

/** Thrown inside this file only. Its message is the rest of a sentence that begins with DATABASE_URL. */
class UrlFault extends Error {}

/**
 * Reads a `postgres:` or `postgresql:` URL. `new URL` cannot do it: it refuses several hosts, and its errors carry the whole text
 * with the password.
 */
export function parsePostgresUrl(value: string, findings: Findings): PostgresTarget | undefined {
  try {
    return parse(value, findings)
  } catch (error) {
    if (!(error instanceof UrlFault)) throw error
    return findings.fault('DATABASE_URL', error.message)
  }
}

function parse(value: string, findings: Findings): PostgresTarget {
  const rest = value.slice(value.indexOf('://') + 3)
  const [, address = '', query = ''] = /^([^?]*)(?:\?(.*))?$/s.exec(rest) ?? []
  // A password may hold an `@` that is not encoded, and even a `/` before it. So the last `@` ends the credentials.
  const at = address.lastIndexOf('@')
  const [user, password] = splitOnce(at === -1 ? '' : address.slice(0, at), ':')
  const [hostList, path] = splitOnce(address.slice(at + 1), '/')
  if (/^\[?YOUR-PASSWORD\]?$/i.test(password)) {
    throw new UrlFault('still holds the placeholder of the password: put the real one there')
  }
  const parameters = readParameters(query, findings)
  const { dbname = decode(path, 'database'), user: name = decode(user, 'user') } = parameters
  const { password: secret = decode(password, 'password'), sslrootcert, sslcert, sslkey } = parameters
  return {
    backend: 'postgres',
    hosts: readHosts(parameters.host ?? hostList, parameters.port),
    ...(name === '' ? {} : { user: name }),
    ...(secret === '' ? {} : { password: new Secret(secret) }),
    ...(dbname === '' ? {} : { database: dbname }),
    tls: {
      mode: readTlsMode(parameters.sslmode),
      ...(sslrootcert === undefined ? {} : { caFile: sslrootcert }),
      ...(sslcert === undefined ? {} : { certFile: sslcert }),
      ...(sslkey === undefined ? {} : { keyFile: sslkey }),
    },
  }
}

function splitOnce(text: string, separator: string): [string, string] {
  const index = text.indexOf(separator)
  return index === -1 ? [text, ''] : [text.slice(0, index), text.slice(index + 1)]
}

function decode(text: string, part: string): string {
  let decoded: string
  try {
    decoded = decodeURIComponent(text)
  } catch {
    throw new UrlFault(`has a ${part} that cannot be decoded: write a percent sign as %25`)
  }
  if (decoded.includes('\0')) throw new UrlFault(`has a ${part} with the character NUL: remove it`)
  return decoded
}

function readHosts(list: string, portList = ''): PostgresHost[] {
  const ports = portList.split(',')
  return list.split(',').map((item, index) => {
    const text = decode(item, 'host')
    const [, name, port] = text.startsWith('/') ? ['', text, undefined] : (hostPattern.exec(text) ?? [])
    if (name === undefined) {
      throw new UrlFault(
        'has no host that can be read: its form is postgres://user:password@host:5432/database, special characters of the password percent-encoded',
      )
    }
    return { host: name.replace(/^\[|\]$/g, ''), port: readPort(port ?? ports[index] ?? ports[0] ?? '') }
  })
}

function readPort(text: string): number {
  const port = text === '' ? 5432 : /^\d{1,5}$/.test(text) ? Number(text) : 0
  if (port < 1 || port > 65_535) throw new UrlFault('has a port that is not a number from 1 to 65535')
  return port
}

function readTlsMode(text: string | undefined): TlsMode {
  if (text === undefined) return 'prefer'
  const mode = tlsModes.find((known) => known === text)
  if (mode === undefined) throw new UrlFault(`has an unknown sslmode: use one of ${tlsModes.join(', ')}`)
  return mode
}

const connection = ['host', 'port', 'user', 'password', 'dbname'] as const
const used = [...connection, 'sslmode', 'sslrootcert', 'sslcert', 'sslkey'] as const
type Parameters = Partial<Record<(typeof used)[number], string>>

/** Parameters of other tools, and the setting that replaces each. */
const unused: Readonly<Record<string, string>> = {
  channel_binding: '',
  connect_timeout: ': set DATABASE_CONNECT_TIMEOUT_MS',
  connection_limit: ': set DATABASE_POOL_MAX',
  options: '',
  pgbouncer: '',
  pool_timeout: ': set DATABASE_ACQUIRE_TIMEOUT_MS',
  schema: ': set DATABASE_SCHEMA',
  statement_timeout: ': set DATABASE_STATEMENT_TIMEOUT_MS',
}

function readParameters(query: string, findings: Findings): Parameters {
  const parameters: Parameters = {}
  for (const pair of query.split('&').filter((item) => item !== '')) {
    const [name, text] = splitOnce(pair, '=')
    const key = used.find((candidate) => candidate === name)
    if (key !== undefined) {
      parameters[key] = decode(text, `parameter ${key}`)
    } else if (name === 'target_session_attrs' && /^(standby|read-only)$/.test(text)) {
      throw new UrlFault('asks for a server that cannot write: remove target_session_attrs')
    } else if (name !== 'target_session_attrs' && name !== 'application_name') {
      // An unknown name is not repeated, because it may be the rest of a password with a question mark.
      const [shown, repair] = Object.hasOwn(unused, name) ? [` ${name}`, unused[name]] : ['', '']
      findings.warn(`DATABASE_URL has a parameter${shown} that is not used${repair}.`)
    }
  }
  return parameters
}
