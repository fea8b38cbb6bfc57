import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

/** Pretends to be another Node.js before the first module runs. */
function pretend(version: string): string[] {
  const code = `Object.defineProperty(process.versions, 'node', { value: '${version}' })`
  return ['--import', `data:text/javascript,${encodeURIComponent(code)}`]
}

describe('the guard before the first TypeScript file', () => {
  let root: string

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'coordinator-guard-'))
    cpSync('bin', join(root, 'bin'), { recursive: true })
    writeFileSync(join(root, 'package.json'), '{ "type": "module" }')
  })

  afterEach(() => {
    rmSync(root, { recursive: true })
  })

  function put(file: string, text = ''): void {
    mkdirSync(join(root, file, '..'), { recursive: true })
    writeFileSync(join(root, file), text)
  }

  function start(version: string) {
    const { status, stderr, stdout } = spawnSync(
      process.execPath,
      [...pretend(version), join(root, 'bin/coordinator.js')],
      { encoding: 'utf8' },
    )
    return { status, stderr, stdout }
  }

  it('in a checkout without the pinned Node.js names npm ci, with exit code 78', () => {
    put('src/main.ts')
    const { status, stderr } = start('20.20.2')
    expect(status).toBe(78)
    expect(stderr).toMatch(
      /^coordinator: Node\.js 20\.20\.2 is too old, 24 or newer is needed: run `npm ci` .*\n$/,
    )
  })

  it('in a checkout with the pinned Node.js names the way to use it', () => {
    put('src/main.ts')
    put('node_modules/node/bin/node')
    expect(start('22.1.0')).toMatchObject({ status: 78, stderr: expect.stringContaining('`npm start`') })
  })

  it('in an installed package names the Node.js to install', () => {
    put('dist/src/main.js')
    expect(start('22.1.0')).toMatchObject({
      status: 78,
      stderr: expect.stringContaining('install Node.js 24'),
    })
  })

  it('in a checkout without dependencies names npm ci', () => {
    put('src/main.ts')
    expect(start('24.0.0')).toMatchObject({ status: 78, stderr: expect.stringContaining('run `npm ci`') })
  })

  it('lets a checkout run its TypeScript, even beside a build', () => {
    put('node_modules/fastify/package.json', '{}')
    put('src/main.ts', "const text: string = 'source'\nprocess.stdout.write(text)")
    put('dist/src/main.js', "process.stdout.write('build')")
    expect(start('24.0.0')).toMatchObject({ status: 0, stdout: 'source' })
  })

  it('lets an installed package run its build', () => {
    put('dist/src/main.js', "process.stdout.write('build')")
    expect(start('26.0.0')).toMatchObject({ status: 0, stdout: 'build' })
  })
})
