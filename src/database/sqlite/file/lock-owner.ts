import { existsSync, readFileSync, statSync } from 'node:fs'
import { basename } from 'node:path'

/**
 * The process that holds a write lock on a file, such as `Process 1234 (sqlite3)`; `undefined` if the system does not tell. Only Linux
 * lists the locks: `1: POSIX  ADVISORY  WRITE 1234 fd:01:5678 0 EOF`.
 */
export function lockOwner(file: string): string | undefined {
  const inode = statSync(file, { throwIfNoEntry: false })?.ino
  if (inode === undefined || !existsSync('/proc/locks')) return undefined
  for (const line of readFileSync('/proc/locks', 'utf8').split('\n')) {
    const [, pid, locked] = / WRITE (\d+) [0-9a-f]+:[0-9a-f]+:(\d+) /.exec(line) ?? []
    if (Number(locked) === inode && Number(pid) > 0 && Number(pid) !== process.pid)
      return `Process ${pid}${programOf(Number(pid))}`
  }
  return undefined
}

function programOf(pid: number): string {
  try {
    const [program = ''] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
    return program === '' ? '' : ` (${basename(program)})`
  } catch {
    // It has ended since, or belongs to somebody else.
    return ''
  }
}
