import { readFileSync, type Stats, statSync } from 'node:fs'
import type { PostgresHost, PostgresTarget } from '../../config/postgres/postgres-url.ts'

/** What the password file says about a login. */
export interface FileLogin {
  readonly password?: string
  /** Why the file was not read, as a sentence. */
  readonly ignored?: string
}

/** Sockets in the folders that libpq is usually compiled with count as `localhost`. */
const usualFolders: ReadonlySet<string> = new Set(['/var/run/postgresql', '/tmp'])

/** Host, port, database, user and password. A backslash protects a colon or a backslash. */
const lineForm = /^((?:\\.|[^:\\])*):((?:\\.|[^:\\])*):((?:\\.|[^:\\])*):((?:\\.|[^:\\])*):((?:\\.|[^:\\])*)/

/**
 * Looks for the password of a login in the file that libpq uses (its documentation, "The Password File"). It is read for every
 * connection, so that a new password counts without a restart. A file that is missing has no passwords. A file that others may read is not
 * read, as in libpq.
 */
export function findPassword({ host, port }: PostgresHost, target: PostgresTarget): FileLogin {
  const { passwordFile: path, database, user } = target
  if (path === undefined) return {}
  let text: string
  try {
    const ignored = reasonToIgnore(path, statSync(path))
    if (ignored !== undefined) return { ignored }
    text = readFileSync(path, 'utf8')
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException
    return code === 'ENOENT' ? {} : { ignored: `The password file ${path} cannot be read (${code}).` }
  }
  const sought = [usualFolders.has(host) ? 'localhost' : host, String(port), database, user]
  for (const line of text.split(/\r?\n/)) {
    const [, ...fields] = line.startsWith('#') ? [] : (lineForm.exec(line) ?? [])
    const password = fields.pop()
    if (password === undefined || !fields.every((field, index) => matches(field, sought[index]))) continue
    return password === '' ? {} : { password: plain(password) }
  }
  return {}
}

function reasonToIgnore(path: string, stat: Stats): string | undefined {
  if (!stat.isFile()) return `The password file ${path} is not a plain file.`
  // Windows protects the folder instead.
  if (process.platform === 'win32' || (stat.mode & 0o077) === 0) return undefined
  return `The password file ${path} is not read, because others may read it: run \`chmod 600 ${path}\`.`
}

function matches(field: string, sought: string | undefined): boolean {
  return field === '*' || plain(field) === sought
}

function plain(field: string): string {
  return field.replace(/\\(.)/g, '$1')
}
