import { accessSync, constants } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'
import { it } from 'vitest'

/**
 * `it` for tests that run programs which not every machine has. Where one is missing the test counts as skipped, and its
 * title says for want of what.
 */
export function itWith(...programs: readonly string[]) {
  const missing = programs.filter((program) => !isInstalled(program))
  return itUnless(missing.length === 0 ? undefined : `${missing.join(' and ')} not installed`)
}

/** `it` for tests that a machine may be unable to run: skipped, with the reason in the title, where there is one. */
export function itUnless(reason: string | undefined) {
  if (reason !== undefined) console.warn(`skipped: ${reason}`)
  return (title: string, body: () => Promise<void>, timeoutMs?: number): void =>
    it.skipIf(reason !== undefined)(reason === undefined ? title : `${title} (${reason})`, body, timeoutMs)
}

/** Whether a program is there, by its name or its whole path. */
export function isInstalled(program: string): boolean {
  const folders = isAbsolute(program) ? ['/'] : (process.env['PATH'] ?? '').split(delimiter)
  return folders.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}
