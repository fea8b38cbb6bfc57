import { readFileSync } from 'node:fs'
import { type ConnectionOptions, getCACertificates } from 'node:tls'
import type { PostgresTarget } from '../../config/postgres-url.ts'
import { CoordinatorError } from '../../errors.ts'

/** How one attempt to connect is encrypted: not at all, or with these options. */
export type Encryption = false | ConnectionOptions

/**
 * The attempts that a mode allows, in the order of libpq (its documentation, "SSL Support"). `allow` and `prefer` accept any result.
 * `require` encrypts without checking the certificate; with an authority it means `verify-ca`.
 *
 * The modes are listed here because the driver gives them other meanings, and is going to change those.
 *
 * @throws COORD_STORE_TLS if a file cannot be read
 */
export function encryptionAttempts({ mode, caFile, certFile, keyFile }: PostgresTarget['tls']): Encryption[] {
  if (mode === 'disable') return [false]
  const ca = caFile === undefined ? {} : { ca: authorities(caFile) }
  const own = {
    ...(certFile === undefined ? {} : { cert: pem(certFile, 'sslcert') }),
    ...(keyFile === undefined ? {} : { key: pem(keyFile, 'sslkey') }),
  }
  const full: ConnectionOptions = { ...ca, ...own, rejectUnauthorized: true }
  const chainOnly: ConnectionOptions = { ...full, checkServerIdentity: () => undefined }
  const anyone: ConnectionOptions = { ...own, rejectUnauthorized: false }
  switch (mode) {
    case 'allow':
      return [false, anyone]
    case 'prefer':
      return [anyone, false]
    case 'require':
      return [caFile === undefined ? anyone : caFile === 'system' ? full : chainOnly]
    case 'verify-ca':
      return [chainOnly]
    case 'verify-full':
      return [full]
  }
}

/** In libpq, `system` means the authorities that the operating system trusts. Node.js has its own list. */
function authorities(caFile: string): string[] | Buffer {
  return caFile === 'system' ? getCACertificates('system') : pem(caFile, 'sslrootcert')
}

function pem(path: string, parameter: string): Buffer {
  try {
    return readFileSync(path)
  } catch (thrown) {
    throw new CoordinatorError('COORD_STORE_TLS', {
      detail: `The file of ${parameter} in DATABASE_URL cannot be read (${(thrown as NodeJS.ErrnoException).code ?? 'unknown cause'}).`,
    })
  }
}
