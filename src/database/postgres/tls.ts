import { existsSync, readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { type ConnectionOptions, checkServerIdentity, getCACertificates } from 'node:tls'
import type { PostgresTls } from '../../config/postgres/postgres-tls.ts'
import { CoordinatorError } from '../../errors.ts'

/** How one attempt to connect is encrypted: not at all, or with these options. */
export type Encryption = false | ConnectionOptions

/**
 * The attempts that a mode allows, in the order of libpq (its documentation, "SSL Support"). `allow` and `prefer` end with any result.
 * Where there is an authority, every mode but `disable` checks that it signed the certificate, and only `verify-full` checks the name.
 *
 * The modes are listed here because the driver gives them other meanings, and is going to change those.
 *
 * @param host the name that the certificate must be for
 * @throws COORD_STORE_TLS if a file cannot be read, or if there is nothing to verify a certificate with
 */
export function encryptionAttempts(tls: PostgresTls, host: string): Encryption[] {
  const { mode } = tls
  if (mode === 'disable') return [false]
  const { minVersion, maxVersion } = tls
  const common: ConnectionOptions = {
    ...ownCertificate(tls),
    ...(minVersion === undefined ? {} : { minVersion }),
    ...(maxVersion === undefined ? {} : { maxVersion }),
    // The driver leaves this out where it is given an address for the name.
    ...(isIP(host) === 0 ? { servername: host } : {}),
  }
  const caFile = tls.caFile ?? usualFile(tls, 'root.crt')
  if (caFile === undefined && mode === 'verify-ca') throw nothingToVerifyWith()
  if (mode === 'verify-full')
    return [
      {
        ...common,
        ...authority(tls, caFile),
        rejectUnauthorized: true,
        checkServerIdentity: (_, certificate) => checkServerIdentity(host, certificate),
      },
    ]
  const encrypted: ConnectionOptions =
    caFile === undefined
      ? { ...common, rejectUnauthorized: false }
      : {
          ...common,
          ...authority(tls, caFile),
          rejectUnauthorized: true,
          checkServerIdentity: () => undefined,
        }
  if (mode === 'allow') return [false, encrypted]
  return mode === 'prefer' ? [encrypted, false] : [encrypted]
}

/** Without a file, Node.js verifies with the authorities that browsers trust. libpq would refuse. */
function authority(tls: PostgresTls, caFile: string | undefined): ConnectionOptions {
  if (caFile === undefined) return {}
  if (caFile === 'system') return { ca: getCACertificates('system') }
  const crlFile = tls.crlFile ?? usualFile(tls, 'root.crl')
  return {
    ca: read(caFile, 'sslrootcert'),
    ...(crlFile === undefined ? {} : { crl: read(crlFile, 'sslcrl') }),
  }
}

function ownCertificate(tls: PostgresTls): ConnectionOptions {
  const certFile = tls.certFile ?? usualFile(tls, 'postgresql.crt')
  if (certFile === undefined || !tls.showsCertificate) return {}
  const keyFile = tls.keyFile ?? usualFile(tls, 'postgresql.key')
  return {
    cert: read(certFile, 'sslcert'),
    ...(keyFile === undefined ? {} : { key: read(keyFile, 'sslkey') }),
    ...(tls.keyPassword === undefined ? {} : { passphrase: tls.keyPassword.reveal() }),
  }
}

/** A file that libpq uses without being told, if it exists. */
function usualFile({ folder }: PostgresTls, name: string): string | undefined {
  const path = folder === undefined ? undefined : join(folder, name)
  return path !== undefined && existsSync(path) ? path : undefined
}

function read(path: string, parameter: string): Buffer {
  try {
    return readFileSync(path)
  } catch (thrown) {
    throw new CoordinatorError('COORD_STORE_TLS', {
      detail: `The file of ${parameter} cannot be read (${(thrown as NodeJS.ErrnoException).code ?? 'unknown cause'}).`,
      hint: `Correct ${parameter} in DATABASE_URL, or PG${parameter.toUpperCase()}, or the rights of the file.`,
    })
  }
}

function nothingToVerifyWith(): CoordinatorError {
  return new CoordinatorError('COORD_STORE_TLS', {
    detail:
      'sslmode=verify-ca needs the certificate of the authority: anybody can get a certificate from a public one.',
    hint: 'Name the file of the authority with sslrootcert=FILE in DATABASE_URL, or use sslmode=verify-full.',
  })
}
