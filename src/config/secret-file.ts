import { closeSync, openSync, readSync } from 'node:fs'

const maxBytes = 65_536

/** The text of a file, or what is wrong with it: the rest of a sentence that begins with the name of the variable. */
export type SecretFile = { readonly text: string } | { readonly fault: string }

/**
 * Reads a secret from a file, without one line break at its end. The file may be a pipe, as in `DATABASE_URL_FILE=<(pass database)`. A
 * fault contains the code of the system, never the path, which may be a secret in the wrong variable, and never the content.
 */
export function readSecretFile(path: string): SecretFile {
  let bytes: Buffer
  try {
    bytes = readAtMost(path, maxBytes + 1)
  } catch (error) {
    const { code = 'unknown cause' } = error as NodeJS.ErrnoException
    return {
      fault: `names a file that cannot be read (${code}): correct the path, or the rights of the file`,
    }
  }
  if (bytes.length > maxBytes) return { fault: 'names a file of more than 64 KiB, which is not a secret' }
  const text = decode(bytes)?.replace(/\r?\n$/, '')
  if (text === undefined) return { fault: 'names a file that is not UTF-8 text' }
  if (text.trim() === '')
    return { fault: 'names an empty file: write the secret into it, or unset the variable' }
  return { text }
}

function readAtMost(path: string, limit: number): Buffer {
  const file = openSync(path, 'r')
  try {
    const buffer = Buffer.alloc(limit)
    let length = 0
    while (length < limit) {
      const read = readSync(file, buffer, length, limit - length, null)
      if (read === 0) break
      length += read
    }
    return buffer.subarray(0, length)
  } finally {
    closeSync(file)
  }
}

function decode(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}
