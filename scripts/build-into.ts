import { execFileSync } from 'node:child_process'
import { cpSync, globSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { buildConsole } from './build-console.ts'

/** Builds the package's code into an empty folder: compiled, with its types, the SQL files that it reads beside itself, and the console. */
export async function buildInto(folder: string): Promise<void> {
  rmSync(folder, { recursive: true, force: true })
  execFileSync('tsc', ['--project', 'tsconfig.build.json', '--outDir', folder], { stdio: 'inherit' })
  for (const file of globSync('src/**/*.sql')) cpSync(file, join(folder, file))
  await buildConsole(join(folder, 'console'))
}
