import { readFileSync, statSync } from 'node:fs'
import { CoordinatorError } from '../../errors.ts'

/** The largest identity file. An identity has about 80 characters. */
const FILE_BYTES_MAX = 65_536

/**
 * The identities in a file, as `age-keygen` writes them: one a line, with comments that begin with `#`.
 *
 * @throws COORD_CONFIG_INVALID. Errors never show the content of the file
 */
export function readIdentityFile(path: string): readonly string[] {
  const identities = textOf(path)
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
  if (identities.length === 0) throw unusable('has no identity in it')
  for (const [index, identity] of identities.entries())
    if (!/^AGE-[A-Z0-9-]+-?1[02-9AC-HJ-NP-Z]+$/.test(identity))
      throw unusable(`has something else than an identity as number ${index + 1}`)
  return identities
}

function textOf(path: string): string {
  try {
    if (statSync(path).size > FILE_BYTES_MAX) throw unusable('names a file of more than 64 KiB')
    return readFileSync(path, 'utf8')
  } catch (thrown) {
    if (thrown instanceof CoordinatorError) throw thrown
    const { code = 'unknown cause' } = thrown as NodeJS.ErrnoException
    throw unusable(`names a file that cannot be read (${code})`)
  }
}

function unusable(what: string): CoordinatorError {
  return new CoordinatorError('COORD_CONFIG_INVALID', {
    detail: `BACKUP_IDENTITY_FILE ${what}.`,
    hint: 'Give the path of a file that `age-keygen` wrote: it has a line that begins with AGE-SECRET-KEY-.',
  })
}
