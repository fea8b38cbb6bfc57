import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { parseEnv } from 'node:util'
import { CoordinatorError } from '../../../errors.ts'
import type { Variables } from './interpolate.ts'

/** Docker reads the file into memory, too. */
const maxBytes = 1_048_576

/**
 * The variables that Compose would fill in: those of the file `.env` beside a compose file, and those of the environment, which win.
 *
 * @param path of the compose file; `-` for standard input, beside which there is no file
 * @throws COORD_CLI_FILE if the file `.env` is there but cannot be read
 */
export async function variablesBeside(
  path: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Variables> {
  const beside = path === '-' ? {} : await readVariables(join(dirname(path), '.env'))
  return { ...beside, ...env }
}

async function readVariables(path: string): Promise<Variables> {
  try {
    const text = await readFile(path, 'utf8')
    if (text.length <= maxBytes) return parseEnv(text)
    throw unreadable(`${path} is larger than 1 MiB.`)
  } catch (thrown) {
    const { code = '', message } = thrown as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'EISDIR') return {}
    if (thrown instanceof CoordinatorError) throw thrown
    throw unreadable(`${path} cannot be read (${code || message}).`, thrown)
  }
}

function unreadable(detail: string, cause?: unknown): CoordinatorError {
  return new CoordinatorError('COORD_CLI_FILE', {
    detail,
    hint: 'A compose file takes its variables from it: make it readable, or move it away.',
    cause,
  })
}
