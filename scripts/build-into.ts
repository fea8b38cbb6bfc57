import { execFileSync } from 'node:child_process'
import { cpSync, globSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { buildConsole } from './build-console.ts'

/** The modules that a program can import from the package, without their ending. */
const publicModules = ['src/index', 'test/conformance/index']

/**
 * Builds the package's code into an empty folder: compiled, with the types of what it exports, the SQL files that it reads beside itself, and
 * the console.
 */
export async function buildInto(folder: string): Promise<void> {
  rmSync(folder, { recursive: true, force: true })
  execFileSync('tsc', ['--project', 'tsconfig.build.json', '--outDir', folder], { stdio: 'inherit' })
  for (const file of globSync('src/**/*.sql')) cpSync(file, join(folder, file))
  removeUnseenTypes(folder)
  await buildConsole(join(folder, 'console'))
}

/** Most files with types belong to modules that no program can import. They would be a quarter of the package. */
function removeUnseenTypes(folder: string): void {
  const seen = new Set<string>()
  const look = (file: string) => {
    if (seen.has(file)) return
    seen.add(file)
    for (const [, target = ''] of readFileSync(file, 'utf8').matchAll(relativeImport))
      look(join(dirname(file), target.replace(/\.[jt]s$/, '.d.ts')))
  }
  for (const module of publicModules) look(join(folder, `${module}.d.ts`))
  for (const file of globSync(join(folder, '**/*.d.ts'))) if (!seen.has(file)) rmSync(file)
}

const relativeImport = /(?:\bfrom|\bimport\()\s*['"](\.[^'"]+)['"]/g
