import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import packageJson from '../package.json' with { type: 'json' }
import { checkConformance } from './package/check-conformance.ts'
import { checkLibrary, createConsumer } from './package/check-consumer.ts'
import { checkFiles } from './package/check-files.ts'
import { checkLinks } from './package/check-links.ts'
import { checkMemory } from './package/check-memory.ts'
import {
  cloneCheckout,
  commandWith,
  createServerFolder,
  runCommands,
  serveAndAsk,
} from './package/check-pages.ts'
import { checkServe, checkWithoutOptional } from './package/check-serve.ts'
import { checkSize, type Size } from './package/check-size.ts'
import { pack } from './package/pack.ts'
import { run } from './package/run.ts'

/** What an installation may take, and the process in memory at rest. */
const maxSizes = { whole: { files: 38, blocks: 54 }, withoutOptional: { files: 30, blocks: 44 } }
const maxRestingMiB = 115

/**
 * Packs the project, installs the package into an empty folder somewhere else, and uses it there: as a library with types,
 * as a conformance suite, and as a command.
 */
const folder = mkdtempSync(join(tmpdir(), 'coordinator-package-'))
const consumer = join(folder, 'consumer')
const server = join(folder, 'server')
const clone = join(folder, 'clone')
const started = performance.now()
try {
  const { archive, files, size } = await pack(folder)
  checkFiles(files)
  report(`packed ${files.length} files, ${Math.round(size / 1024)} KiB`)
  createConsumer(consumer)
  const install = ['install', '--omit=dev', '--no-audit', '--no-fund', '--prefer-offline', archive]
  await run('npm', install, { cwd: consumer, timeoutMs: 240_000 })
  const whole = checkSize(consumer, maxSizes.whole)
  report(`installed into an empty folder: ${sizeText(whole)}`)
  const links = checkLinks(join(consumer, 'node_modules/@coordinator/server'))
  report(`all ${links} links between its documents lead somewhere`)
  await checkLibrary(consumer)
  report('a TypeScript program imports createCoordinator, and runs one')
  const cases = await checkConformance(consumer)
  report(`its conformance suite runs against a store of that program: ${cases} cases`)
  await checkServe(consumer)
  report('npx coordinator serve runs, in memory and on SQLite, with its console')
  if (process.platform === 'linux') {
    const { memory = 0, sqlite = 0 } = await checkMemory(consumer, maxRestingMiB)
    report(`at rest it takes ${memory.toFixed(0)} MiB in memory, and ${sqlite.toFixed(0)} MiB on SQLite`)
  }
  const page = 'docs/install.md'
  createServerFolder(server, archive)
  await runCommands(server, commandWith(page, 'npm init'))
  await runCommands(server, commandWith(page, '--omit=optional'))
  const least = checkSize(server, maxSizes.withoutOptional)
  checkWithoutOptional(server)
  await serveAndAsk(server, commandWith(page, 'DATABASE_URL'))
  report(`installed and run as ${page} says, without the optional packages: ${sizeText(least)}`)
  const bill = await runCommands(server, commandWith('docs/releasing.md', 'npm sbom').replace(/>.*/, ''))
  report(`the bill of materials has ${componentsOf(bill)} packages`)
  cloneCheckout(clone)
  const block = commandWith(page, 'npm ci --omit=dev\nnode')
  await runCommands(clone, block.split('\n')[0] ?? '')
  await serveAndAsk(clone, block)
  report(`a checkout without development packages runs: ${sizeText(checkSize(clone, maxSizes.whole))}`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function report(text: string): void {
  process.stdout.write(`package: ${text} (${((performance.now() - started) / 1_000).toFixed(1)} s)\n`)
}

function sizeText({ blocks, files }: Size): string {
  return `${files.toFixed(1)} MiB of files, ${blocks.toFixed(1)} MiB on the disk`
}

/** @throws Error if the bill lacks a package that the project names */
function componentsOf(bill: string): number {
  const { components } = JSON.parse(bill) as { components: { name: string; group?: string }[] }
  const names = components.map(({ group, name }) => (group === undefined ? name : `${group}/${name}`))
  const missing = Object.keys(packageJson.dependencies).filter((name) => !names.includes(name))
  if (missing.length > 0) throw new Error(`the bill of materials lacks ${missing.join(', ')}`)
  return names.length
}
