import { resolve } from 'node:path'
import type { Findings } from './findings.ts'

export interface SqliteTarget {
  readonly backend: 'sqlite'
  /** Absolute. */
  readonly path: string
}

/**
 * Reads `sqlite:PATH`. The path is used as written, without decoding: `sqlite:data.db` and `sqlite:./data.db` are below the working
 * directory, `sqlite:/data.db` and `sqlite:///data.db` are not.
 */
export function parseSqliteUrl(value: string, findings: Findings): SqliteTarget | undefined {
  const path = value.slice('sqlite:'.length).replace(/^\/\/(?=\/)/, '')
  const repair = repairOf(path)
  if (repair !== undefined) return findings.fault('DATABASE_URL', repair)
  return { backend: 'sqlite', path: resolve(path) }
}

function repairOf(path: string): string | undefined {
  if (path === '') return 'names no file: write sqlite:./data/coordinator.db'
  if (path.includes(':memory:'))
    return 'asks SQLite for memory, which keeps nothing: write memory: or name a file'
  if (path.startsWith('//')) {
    return 'has two slashes, which may mean either kind of path: write sqlite:./data/coordinator.db or sqlite:/data/coordinator.db'
  }
  if (/[?#]/.test(path)) return 'has parameters, and sqlite: takes none: remove them'
  if (/[/\\]$/.test(path)) return 'names a folder: add the name of the file'
  if (path.includes('\0')) return 'holds the character NUL: remove it'
  return undefined
}
