import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Environment } from '../given-text.ts'
import { readSecretFile } from '../secret-file.ts'
import { ConnectionFault, type Pair } from './connection-string.ts'

/** The home folder of the user, where libpq looks for its files; `undefined` if the user has none. */
export function homeFolder(env: Environment): string | undefined {
  const given = env['HOME'] ?? ''
  if (given !== '') return given
  try {
    return homedir()
  } catch {
    // In a container, the user may be a number without an entry.
    return undefined
  }
}

/**
 * Reads the parameters of a service (libpq documentation, "The Connection Service File"): from the file that `PGSERVICEFILE` names, else
 * from `~/.pg_service.conf`; then from `pg_service.conf` in the folder that `PGSYSCONFDIR` names.
 *
 * @param from the variable that names the service
 */
export function readService(service: string, from: string, env: Environment): Pair[] {
  for (const [variable, path] of serviceFiles(env)) {
    const read = readSecretFile(path)
    if ('text' in read) {
      const pairs = pairsOf(service, read.text, from)
      if (pairs !== undefined) return pairs
    } else if (variable === 'PGSERVICEFILE') throw new ConnectionFault(read.fault, variable)
  }
  throw new ConnectionFault(
    'names a service that no service file has: put it into ~/.pg_service.conf, or into the file that PGSERVICEFILE names',
    from,
  )
}

function serviceFiles(env: Environment): (readonly [variable: string, path: string])[] {
  const { PGSERVICEFILE: own, PGSYSCONFDIR: system } = env
  const home = homeFolder(env)
  const files: (readonly [string, string])[] = []
  if (own) files.push(['PGSERVICEFILE', own])
  else if (home !== undefined) files.push(['HOME', join(home, '.pg_service.conf')])
  if (system) files.push(['PGSYSCONFDIR', join(system, 'pg_service.conf')])
  return files
}

/** The lines of the first section with that name; `undefined` if there is none. */
function pairsOf(service: string, text: string, from: string): Pair[] | undefined {
  let pairs: Pair[] | undefined
  for (const [index, line] of text.split('\n').entries()) {
    const content = line.trim()
    if (content === '' || content.startsWith('#')) continue
    if (content.startsWith('[')) {
      if (pairs !== undefined) return pairs
      if (content.startsWith(`[${service}]`)) pairs = []
    } else if (pairs !== undefined) {
      const at = content.indexOf('=')
      if (at === -1 || /^(service$|ldap)/.test(content.slice(0, at))) {
        throw new ConnectionFault(
          `names a service with a line that cannot be read (line ${index + 1} of its file): write name=value`,
          from,
        )
      }
      pairs.push([content.slice(0, at), content.slice(at + 1)])
    }
  }
  return pairs
}
