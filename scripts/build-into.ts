import { execFileSync } from 'node:child_process'
import { cpSync, globSync, rmSync } from 'node:fs'
import { join } from 'node:path'

/** Builds the package's code into an empty folder: compiled, with its types, and the SQL files that it reads beside itself. */
export function buildInto(folder: string): void {
  rmSync(folder, { recursive: true, force: true })
  execFileSync('tsc', ['--project', 'tsconfig.build.json', '--outDir', folder], { stdio: 'inherit' })
  for (const file of globSync('src/**/*.sql')) cpSync(file, join(folder, file))
}
