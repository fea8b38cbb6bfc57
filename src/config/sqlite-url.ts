import { resolve } from 'node:path'
import type { Findings } from './findings.ts'

export interface SqliteTarget {
  readonly backend: 'sqlite'
  /** Absolute. */
  readonly path: string
}

/**
 * Reads `sqlite:PATH`. The path is used as written, without decoding: `sqlite:data.db` and `sqlite:./data.db` are below the working
 * directory, `sqlite:/data.db` and `sqlite:///data.db` are not. What only looks like a path is refused: otherwise an empty database in a
 * folder named `~` or `$DIR` would seem to be the real one.
 */
export function parseSqliteUrl(value: string, findings: Findings): SqliteTarget | undefined {
  const path = value.slice('sqlite:'.length).replace(/^\/\/(?=\/)/, '')
  const repair = faults.find(([form]) => form.test(path))?.[1]
  if (repair !== undefined) return findings.fault('DATABASE_URL', repair)
  if (/%[0-9a-f]{2}/i.test(path))
    findings.warn(
      'DATABASE_URL has a percent sign in the path of its file. It is not decoded: %20 is no space.',
    )
  return { backend: 'sqlite', path: resolve(path) }
}

const inFull = 'write the whole path, such as sqlite:/var/lib/coordinator/coordinator.db'

/** Paths that are mistakes, each with the rest of a message that begins with DATABASE_URL. */
const faults: readonly (readonly [RegExp, string])[] = [
  [/^$/, 'names no file: write sqlite:./data/coordinator.db'],
  [/:memory:/, 'asks SQLite for memory, which keeps nothing: write memory: or name a file'],
  [
    /^\/\//,
    'has two slashes, which may mean either kind of path: write sqlite:./data/coordinator.db or sqlite:/data/coordinator.db',
  ],
  [/^(file|sqlite3?):/i, 'has two schemes: write sqlite: and then the path'],
  [
    /^~|\/~(\/|$)/,
    `has a ~, which only a shell replaces by the home folder, and not behind a colon: ${inFull}, or let the shell put it in: "sqlite:$HOME/coordinator.db"`,
  ],
  [
    /\$[a-z_{(]|%[a-z_]\w*%|\{\{|<.*>/i,
    `has a variable that nothing has replaced: ${inFull}, or let a shell put the value in, between double quotes`,
  ],
  // On Windows it is a drive, elsewhere a file with a strange name.
  ...(process.platform === 'win32'
    ? []
    : [[/^[a-z]:[\\/]/i, `has the path of another system: ${inFull}`] as const]),
  [/^\s|\s$/, 'has a space before or behind the path: remove it'],
  [/[?#]/, 'has parameters, and sqlite: takes none: remove them'],
  [/[/\\]$/, 'names a folder: add the name of the file'],
  [/\0/, 'holds the character NUL: remove it'],
]
