import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkConformance } from './package/check-conformance.ts'
import { checkLibrary, createConsumer } from './package/check-consumer.ts'
import { checkFiles } from './package/check-files.ts'
import { checkLinks } from './package/check-links.ts'
import { checkServe } from './package/check-serve.ts'
import { pack } from './package/pack.ts'
import { run } from './package/run.ts'

/**
 * Packs the project, installs the package into an empty folder somewhere else, and uses it there: as a library with types,
 * as a conformance suite, and as a command.
 */
const folder = mkdtempSync(join(tmpdir(), 'coordinator-package-'))
const consumer = join(folder, 'consumer')
const started = performance.now()
try {
  const { archive, files, size } = await pack(folder)
  checkFiles(files)
  report(`packed ${files.length} files, ${Math.round(size / 1024)} KiB`)
  createConsumer(consumer)
  const install = ['install', '--no-audit', '--no-fund', '--prefer-offline', archive]
  await run('npm', install, { cwd: consumer, timeoutMs: 240_000 })
  report('installed into an empty folder')
  const links = checkLinks(join(consumer, 'node_modules/@coordinator/server'))
  report(`all ${links} links between its documents lead somewhere`)
  await checkLibrary(consumer)
  report('a TypeScript program imports createCoordinator, and runs one')
  const cases = await checkConformance(consumer)
  report(`its conformance suite runs against a store of that program: ${cases} cases`)
  await checkServe(consumer)
  report('npx coordinator serve runs, in memory and on SQLite, with its console')
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function report(text: string): void {
  process.stdout.write(`package: ${text} (${((performance.now() - started) / 1_000).toFixed(1)} s)\n`)
}
