import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { isLoopback } from '../../config/loopback.ts'
import { Secret } from '../../config/secret.ts'
import { CoordinatorError, type ErrorCode } from '../../errors.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { printable } from '../terminal/text-table.ts'

/** The token that a command sends, and where it comes from. */
export interface Credential {
  readonly token: Secret
  /** The variable or the file, as messages name it. */
  readonly source: string
}

/** The largest token. A coordinator takes at most 16 KiB of headers. */
const tokenMaxBytes = 12_288
/** Every token and every secret of a coordinator is longer. A shorter text is only a part of one. */
const tokenMinLength = 24

/** A token in a file, such as a secret that a container mounts. White space around it does not count. */
export function readTokenFile(path: string, terminal: Terminal): Credential {
  const text = readSmallFile(path)
  warnOfOpenFile(path, terminal)
  return checkedCredential(text, path, 'COORD_CLI_FILE')
}

/** Warns where other users of this machine may read a token file. */
export function warnOfOpenFile(path: string, { stderr }: Terminal): void {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (stats?.isFile() !== true || !isReadableByOthers(stats)) return
  stderr.write(`warning: other users may read ${printable(path)}. Run \`chmod 600\` on it.\n`)
}

/**
 * Checks what can be sent as a token. The error of `fetch` for a wrong header would repeat the whole header.
 *
 * @param source the variable or the file, for messages
 */
export function checkedCredential(text: string, source: string, code: ErrorCode): Credential {
  const token = text.trim()
  const allowed = /^[\x21-\x7e]*$/.test(token)
  if (allowed && token.length >= tokenMinLength) return { token: new Secret(token), source }
  const fault = allowed ? 'has no whole token in it' : 'has characters in it that no token has'
  throw new CoordinatorError(code, {
    detail: `${source} ${fault}.`,
    hint: 'It must have one token in it, and nothing else: the text that `coordinator token create` printed.',
  })
}

/** Warns where everybody on the way to the coordinator can read the token. */
export function warnOfPlainHttp(baseUrl: string, { stderr }: Terminal): void {
  const { protocol, hostname, host } = new URL(baseUrl)
  if (protocol !== 'http:' || isLoopback(hostname.replace(/^\[|\]$/g, ''))) return
  stderr.write(`warning: the token goes to ${host} over http, without encryption. Use an https URL.\n`)
}

function readSmallFile(path: string): string {
  let descriptor: number | undefined
  try {
    descriptor = openSync(path, 'r')
    const buffer = Buffer.alloc(tokenMaxBytes + 1)
    let length = 0
    // A pipe gives its text in pieces.
    for (;;) {
      const more = readSync(descriptor, buffer, length, buffer.length - length, null)
      if (more === 0) break
      length += more
    }
    if (length > tokenMaxBytes) throw unreadable(path, 'is too large for a token')
    return buffer.toString('utf8', 0, length)
  } catch (thrown) {
    if (thrown instanceof CoordinatorError) throw thrown
    const { code = '', message } = thrown as NodeJS.ErrnoException
    throw unreadable(path, reasons[code] ?? `cannot be read (${code || message})`, thrown)
  } finally {
    if (descriptor !== undefined) closeSync(descriptor)
  }
}

/** As psql judges a key file: a file of root may be readable by a group. Windows has other rights than these. */
function isReadableByOthers({ mode, uid }: { readonly mode: number; readonly uid: number }): boolean {
  return process.platform !== 'win32' && (mode & (uid === 0 ? 0o007 : 0o077)) !== 0
}

function unreadable(path: string, reason: string, cause?: unknown): CoordinatorError {
  return new CoordinatorError('COORD_CLI_FILE', {
    detail: `The token file ${path} ${reason}.`,
    hint: 'Give the path of a file with the token in it.',
    cause,
  })
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  EACCES: 'may not be read',
  EISDIR: 'is a folder',
}
