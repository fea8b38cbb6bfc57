import { join } from 'node:path'
import type { SecureVersion } from 'node:tls'
import type { Environment } from '../given-text.ts'
import { Secret } from '../secret.ts'
import { ConnectionFault } from './connection-string.ts'
import type { Given, Parameters } from './libpq-parameters.ts'
import { homeFolder } from './service-file.ts'

/** How a connection is encrypted, in the words of libpq. Only `verify-ca` and `verify-full` prove who answers. */
export type TlsMode = (typeof modes)[number]

export interface PostgresTls {
  readonly mode: TlsMode
  /** `~/.postgresql`, where libpq looks for files that are not named: `root.crt`, `root.crl`, `postgresql.crt`, `postgresql.key`. */
  readonly folder?: string
  /** Files in PEM form: the certificate authority (or `system`), revoked certificates, and the client's own certificate and key. */
  readonly caFile?: string
  readonly crlFile?: string
  readonly certFile?: string
  readonly keyFile?: string
  readonly keyPassword?: Secret
  /** Whether the client shows a certificate of its own. */
  readonly showsCertificate: boolean
  /** Whether TLS begins at once, without asking the server before. */
  readonly direct: boolean
  readonly minVersion?: SecureVersion
  readonly maxVersion?: SecureVersion
}

const modes = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const
const enforcing: readonly TlsMode[] = ['require', 'verify-ca', 'verify-full']

/** @throws ConnectionFault */
export function readTls(parameters: Parameters, env: Environment): PostgresTls {
  const { sslmode, sslrootcert, sslnegotiation, sslcertmode } = parameters
  const mode = readMode(parameters, env)
  if (sslrootcert?.text === 'system' && mode !== 'verify-full')
    throw new ConnectionFault(
      'has an sslmode that is too weak for sslrootcert=system, because everybody can get such a certificate: use sslmode=verify-full',
      sslmode?.from,
    )
  if (!/^(postgres|direct)?$/.test(sslnegotiation?.text ?? ''))
    throw new ConnectionFault('has an unknown sslnegotiation: use postgres or direct', sslnegotiation?.from)
  const direct = sslnegotiation?.text === 'direct'
  if (direct && !enforcing.includes(mode))
    throw new ConnectionFault(
      `has an sslmode that is too weak for sslnegotiation=direct: use one of ${enforcing.join(', ')}`,
      sslmode?.from ?? sslnegotiation?.from,
    )
  if (!/^(disable|allow)?$/.test(sslcertmode?.text ?? ''))
    throw new ConnectionFault('has an sslcertmode that is neither disable nor allow', sslcertmode?.from)
  const home = homeFolder(env)
  const keyPassword = parameters.sslpassword?.text ?? ''
  const [minVersion, maxVersion] = readVersions(parameters)
  return {
    mode,
    ...(home === undefined ? {} : { folder: join(home, '.postgresql') }),
    ...fileOf('caFile', sslrootcert),
    ...fileOf('crlFile', parameters.sslcrl),
    ...fileOf('certFile', parameters.sslcert),
    ...fileOf('keyFile', parameters.sslkey),
    ...(keyPassword === '' ? {} : { keyPassword: new Secret(keyPassword) }),
    showsCertificate: sslcertmode?.text !== 'disable',
    direct,
    ...(minVersion === undefined ? {} : { minVersion }),
    ...(maxVersion === undefined ? {} : { maxVersion }),
  }
}

function fileOf<K extends string>(key: K, given: Given | undefined): Partial<Record<K, string>> {
  return given === undefined || given.text === '' ? {} : ({ [key]: given.text } as Record<K, string>)
}

function readMode({ sslmode, sslrootcert }: Parameters, env: Environment): TlsMode {
  if (sslmode === undefined) {
    if ((env['PGREQUIRESSL'] ?? '').startsWith('1')) return 'require'
    return sslrootcert?.text === 'system' ? 'verify-full' : 'prefer'
  }
  const mode = modes.find((known) => known === sslmode.text)
  if (mode === undefined)
    throw new ConnectionFault(`has an unknown sslmode: use one of ${modes.join(', ')}`, sslmode.from)
  return mode
}

function readVersions({
  ssl_min_protocol_version: min,
  ssl_max_protocol_version: max,
}: Parameters): (SecureVersion | undefined)[] {
  const versions = [min, max].map((given) => {
    if (given === undefined || given.text === '') return undefined
    const number = /^TLSv(1(?:\.[123])?)$/i.exec(given.text)?.[1]
    if (number === undefined)
      throw new ConnectionFault(
        'has a version of TLS that is none of TLSv1, TLSv1.1, TLSv1.2, TLSv1.3',
        given.from,
      )
    return `TLSv${number}` as SecureVersion
  })
  const [lowest, highest] = versions
  if (lowest !== undefined && highest !== undefined && lowest > highest)
    throw new ConnectionFault('has a lowest version of TLS that is above the highest one', min?.from)
  return versions
}
