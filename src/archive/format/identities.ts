import { Decrypter } from 'age-encryption'
import { readSecretFile } from '../../config/secret-file.ts'
import { CoordinatorError } from '../../errors.ts'

/**
 * The age identities in a file, as `age-keygen` writes it: one in each line, besides comments and empty lines. Neither the path nor the
 * content stands in an error.
 *
 * @throws COORD_CONFIG_INVALID
 */
export function readIdentityFile(path: string): readonly string[] {
  const file = readSecretFile(path)
  if ('fault' in file) throw invalid(file.fault)
  return parseIdentities(file.text)
}

/**
 * The age identities in a text.
 *
 * @throws COORD_CONFIG_INVALID
 */
export function parseIdentities(text: string): readonly string[] {
  if (/^(?:age-encryption\.org\/|-----BEGIN AGE )/.test(text))
    throw invalid(
      'names a file that is itself encrypted: decrypt it with `age -d` first, into a file that only you can read',
    )
  const identities: string[] = []
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const identity = line.trim()
    if (identity === '' || identity.startsWith('#')) continue
    if (!isIdentity(identity))
      throw invalid(`names a file whose line ${index + 1} is no identity of age, such as age-keygen writes`)
    identities.push(identity)
  }
  if (identities.length === 0) throw invalid('names a file without an identity of age')
  return identities
}

function isIdentity(text: string): boolean {
  try {
    new Decrypter().addIdentity(text)
    return true
  } catch {
    return false
  }
}

function invalid(what: string): CoordinatorError {
  return new CoordinatorError('COORD_CONFIG_INVALID', { detail: `BACKUP_IDENTITY_FILE ${what}.` })
}
