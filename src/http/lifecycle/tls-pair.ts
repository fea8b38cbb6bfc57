import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { open } from 'node:fs/promises'
import { createSecureContext, type SecureVersion } from 'node:tls'
import { CoordinatorError } from '../../errors.ts'

/** The files of the certificate of a server and of its private key. */
export interface TlsFiles {
  /** TLS_CERT_FILE */
  readonly certFile: string
  /** TLS_KEY_FILE */
  readonly keyFile: string
}

/** A certificate, with those between it and its authority, and its private key. */
export interface TlsPair {
  readonly cert: string
  readonly key: string
}

export const TLS_MIN_VERSION: SecureVersion = 'TLSv1.2'

/** Larger than any chain of certificates. */
const fileMaxBytes = 1_048_576

/** @throws COORD_TLS_FILE for a file that cannot be read */
export async function readTlsPair({ certFile, keyFile }: TlsFiles): Promise<TlsPair> {
  const [cert, key] = await Promise.all([read('TLS_CERT_FILE', certFile), read('TLS_KEY_FILE', keyFile)])
  return { cert, key }
}

async function read(variable: string, path: string): Promise<string> {
  try {
    await using file = await open(path)
    const buffer = Buffer.alloc(fileMaxBytes)
    let length = 0
    for (;;) {
      const { bytesRead } = await file.read(buffer, length, fileMaxBytes - length)
      length += bytesRead
      if (length === fileMaxBytes) throw unusable(`${variable} (${path}) has more than 1 MiB.`)
      if (bytesRead === 0) return buffer.toString('utf8', 0, length)
    }
  } catch (cause) {
    if (cause instanceof CoordinatorError) throw cause
    const { code = 'unknown cause' } = cause as NodeJS.ErrnoException
    throw unusable(`${variable} (${path}) cannot be read (${code}).`, cause)
  }
}

/**
 * Checks that the two belong together, and that this version of OpenSSL takes them.
 *
 * @returns the certificate of the server itself
 * @throws COORD_TLS_FILE
 */
export function checkTlsPair({ cert, key }: TlsPair, { certFile, keyFile }: TlsFiles): X509Certificate {
  const certificate = attempt(
    () => new X509Certificate(cert),
    `TLS_CERT_FILE (${certFile}) has no certificate in PEM form.`,
  )
  const privateKey = readKey(key, keyFile)
  if (!certificate.checkPrivateKey(privateKey))
    throw unusable(
      `The private key in TLS_KEY_FILE (${keyFile}) is not that of the first certificate in TLS_CERT_FILE (${certFile}).`,
    )
  attempt(
    () => createSecureContext({ cert, key, minVersion: TLS_MIN_VERSION }),
    `TLS_CERT_FILE (${certFile}) and TLS_KEY_FILE (${keyFile}) cannot be used`,
  )
  return certificate
}

function readKey(key: string, keyFile: string): KeyObject {
  if (/-----BEGIN ENCRYPTED|^Proc-Type:.*ENCRYPTED/m.test(key))
    throw unusable(
      `The private key in TLS_KEY_FILE (${keyFile}) is encrypted, and there is no setting for its password.`,
    )
  return attempt(() => createPrivateKey(key), `TLS_KEY_FILE (${keyFile}) has no private key in PEM form.`)
}

/** @param fault a whole sentence, or one that the code of the error ends */
function attempt<T>(work: () => T, fault: string): T {
  try {
    return work()
  } catch (cause) {
    const { code = 'unknown cause' } = cause as NodeJS.ErrnoException
    throw unusable(fault.endsWith('.') ? fault : `${fault} (${code}).`, cause)
  }
}

/** The cause is left out where it could repeat what stands in a file. */
function unusable(detail: string, cause?: unknown): CoordinatorError {
  const { code } = (cause ?? {}) as NodeJS.ErrnoException
  return new CoordinatorError('COORD_TLS_FILE', {
    detail,
    ...(code === undefined ? {} : { sourceCode: code }),
  })
}
