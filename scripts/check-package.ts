import { execFileSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import packageJson from '../package.json' with { type: 'json' }
import { buildInto } from './build-into.ts'

/**
 * Packs the package as it would be published, unpacks it beside its production dependencies only, and uses it as a stranger
 * would: imports every entry point, checks their types, runs the command. Nothing in the checkout is written.
 */
const temporary = mkdtempSync(join(tmpdir(), 'coordinator-package-'))
try {
  const files = unpack(temporary)
  checkFiles(files)
  useAsStranger(temporary)
  process.stdout.write(`package: ${files.length} files, imports, types and command work\n`)
} finally {
  rmSync(temporary, { recursive: true, force: true })
}

function unpack(folder: string): string[] {
  const stage = join(folder, 'stage')
  buildInto(join(stage, 'dist'))
  for (const item of [...packageJson.files, 'package.json', 'LICENSE', 'README.md']) {
    if (item !== 'dist' && existsSync(item)) cpSync(item, join(stage, item), { recursive: true })
  }
  const output = run('npm', ['pack', '--json', '--ignore-scripts'], stage)
  const archive = globSync('*.tgz', { cwd: stage })[0] ?? fail(`npm pack made no archive: ${output}`)
  const target = join(folder, 'node_modules', packageJson.name)
  mkdirSync(target, { recursive: true })
  run('tar', ['-xzf', join(stage, archive), '-C', target, '--strip-components=1'], folder)
  // vitest and the types stand for what a stranger brings along; no other development dependency is there.
  for (const name of [...Object.keys(packageJson.dependencies), 'vitest', '@types/node']) {
    const link = join(folder, 'node_modules', name)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(resolve('node_modules', name), link)
  }
  return globSync('**', { cwd: target, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(target.length + 1))
}

function checkFiles(files: readonly string[]): void {
  const wrong = files.filter(
    (file) => !/^(bin|dist|docs)\/|^(package\.json|README\.md|LICENSE|CHANGELOG\.md)$/.test(file),
  )
  const tests = files.filter(
    (file) => file.startsWith('dist/test/') && !file.startsWith('dist/test/conformance/'),
  )
  const lost = globSync('src/**/*.sql').filter((file) => !files.includes(join('dist', file)))
  if (wrong.length > 0) fail(`the package holds what does not belong there: ${wrong.join(', ')}`)
  if (tests.length > 0) fail(`the conformance suite drags tests along: ${tests.join(', ')}`)
  if (lost.length > 0) fail(`the package lacks ${lost.join(', ')}`)
  if (!files.includes('LICENSE')) fail('the package lacks LICENSE')
}

function useAsStranger(folder: string): void {
  const entries = Object.keys(packageJson.exports).filter((entry) => !entry.endsWith('.json'))
  const modules = entries.map((entry) => `${packageJson.name}${entry.slice(1)}`)
  // The conformance suite registers tests when it is called, so importing it is all that works outside a test run.
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n')
  const source = modules.map((name, index) => `import * as entry${index} from '${name}'\n`).join('')
  const names = modules.map((_, index) => `entry${index}`).join(', ')
  writeFileSync(
    join(folder, 'stranger.ts'),
    `${source}for (const entry of [${names}]) if (Object.keys(entry).length === 0) throw new Error('an entry exports nothing')\n`,
  )
  run(
    resolve('node_modules/.bin/tsc'),
    ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2024', '--skipLibCheck', 'stranger.ts'],
    folder,
  )
  run(process.execPath, ['stranger.ts'], folder)
  const command = join(folder, 'node_modules', packageJson.name, packageJson.bin.coordinator)
  if (!readFileSync(command, 'utf8').startsWith('#!/usr/bin/env node\n')) fail('the command has no #! line')
  const version = run(process.execPath, [command, '--version'], folder).trim()
  if (version !== packageJson.version) fail(`coordinator --version says ${version}`)
  run(process.execPath, [command, '--help'], folder)
}

function run(command: string, args: readonly string[], folder: string): string {
  return execFileSync(command, args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
}

function fail(reason: string): never {
  throw new Error(`package: ${reason}`)
}
