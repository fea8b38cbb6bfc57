import { execFileSync } from 'node:child_process'
import { cpSync, globSync, rmSync } from 'node:fs'

/** Builds `dist/` from nothing: the compiled code with its types, and the SQL files that it reads beside itself. */
rmSync('dist', { recursive: true, force: true })
execFileSync('tsc', ['--project', 'tsconfig.build.json'], { stdio: 'inherit' })
for (const file of globSync('src/**/*.sql')) cpSync(file, `dist/${file}`)
