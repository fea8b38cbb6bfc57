import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkConsumer } from './package/check-consumer.ts'
import { checkFiles } from './package/check-files.ts'
import { checkServe } from './package/check-serve.ts'
import { run } from './package/run.ts'

/**
 * Packs the project, installs the package into an empty folder somewhere else, and uses it there: as a command, as a
 * library with types, and as a conformance suite.
 */
const folder = mkdtempSync(join(tmpdir(), 'coordinator-package-'))
const started = performance.now()
try {
  const [packed] = JSON.parse(await run('npm', ['pack', '--json', '--pack-destination', folder])) as [Packed]
  checkFiles(packed.files.map(({ path }) => path))
  report(`packed ${packed.files.length} files, ${Math.round(packed.size / 1024)} KiB`)
  const consumer = join(folder, 'consumer')
  await checkConsumer.create(consumer)
  await run(
    'npm',
    ['install', '--no-audit', '--no-fund', '--prefer-offline', join(folder, packed.filename)],
    {
      cwd: consumer,
      timeoutMs: 240_000,
    },
  )
  report('installed into an empty folder')
  await checkConsumer.types(consumer)
  report('a consumer type-checks, without skipping our declarations')
  await checkConsumer.library(consumer)
  report('import { createCoordinator } runs a coordinator')
  await checkConsumer.conformance(consumer)
  report('the conformance suite runs against a store of the consumer')
  await checkServe(consumer)
  report('npx coordinator serve runs, in memory and on SQLite')
} finally {
  rmSync(folder, { recursive: true, force: true })
}

interface Packed {
  readonly filename: string
  readonly size: number
  readonly files: readonly { readonly path: string }[]
}

function report(text: string): void {
  process.stdout.write(`package: ${text} (${((performance.now() - started) / 1_000).toFixed(1)} s)\n`)
}
