import { execFile } from 'node:child_process'
import { mkdir, symlink } from 'node:fs/promises'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { cart, withServer } from '../http/with-server.ts'
import { plainEnv, scratchFolder } from '../main/coordinator-process.ts'
import { itWith } from '../support/it-with.ts'
import { runInProcess } from './run-in-process.ts'

const execute = promisify(execFile)

async function completed(words: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { code, stdout, stderr } = await runInProcess(['complete-words', '--', ...words], { env })
  expect([code, stderr]).toEqual([0, ''])
  const [kind, ...found] = stdout.trimEnd().split('\n')
  return { kind, found }
}

const nowhere = { COORDINATOR_URL: 'http://127.0.0.1:9' }

describe('completion', () => {
  it.each<[readonly string[], readonly string[]]>([
    [['ser'], ['serve', 'services']],
    [['graph', 'cr'], ['critical']],
    [['graph', 'unresolved', '--js'], ['--json']],
    [
      ['services', '-o', ''],
      ['table', 'wide', 'json', 'yaml'],
    ],
    [['services', '--output=j'], ['--output=json']],
    [['services', '--tag', 'x', '--output', 'y'], ['yaml']],
    [
      ['heartbeat', 'cart', '--status', ''],
      ['up', 'down'],
    ],
    [['completion', 'z'], ['zsh']],
    [['services', '--tag', ''], []],
    [['get', 'cart', 'x'], []],
    [['unknown', 'x'], []],
  ])('of %j is %j', async (words, expected) => {
    expect(await completed(words, nowhere)).toEqual({ kind: 'words', found: expected })
  })

  it('has every command and every option that the help shows, and none that it hides', async () => {
    const { found } = await completed([''])
    const help = (await runInProcess(['--help'])).stdout
    for (const command of found) expect(help).toContain(`  ${command}`)
    expect(found).toEqual(expect.arrayContaining(['register', 'get', 'changes', 'graph', 'token', 'help']))
    expect(found).not.toContain('complete-words')
    expect(found).not.toContain('restored')
    for (const command of found.filter((name) => name !== 'help')) {
      const shown = (await runInProcess([command, '--help'])).stdout
      const options = [...shown.matchAll(/^ {2}(?:-\w, )?(--[\w-]+)/gm)].map(([, option]) => option)
      expect((await completed([command, '--'])).found.toSorted(), command).toEqual(options.toSorted())
    }
  })

  it('asks the shell for files where a file is meant', async () => {
    expect((await completed(['import', ''], nowhere)).kind).toBe('files')
    expect((await completed(['register', '--file', ''], nowhere)).kind).toBe('files')
    expect((await completed(['status', '--token-file', 'x'], nowhere)).kind).toBe('files')
  })

  it('has the names of services, but none that a shell could take for something else', () =>
    withServer(async ({ url, ask }) => {
      for (const serviceName of ['cart', 'cart-db', 'pay', '$(touch x)', 'cart; rm', "car't", 'car`x`'])
        await ask('/register', { json: { ...cart, serviceName } })
      const env = { COORDINATOR_URL: url }
      for (const words of [
        ['get', 'car'],
        ['graph', 'impact', 'car'],
        ['graph', 'path', 'pay', 'car'],
        ['services', '--name', 'car'],
        ['graph', 'what-if', '--remove', 'car'],
      ])
        expect((await completed(words, env)).found).toEqual(['cart', 'cart-db'])
      expect((await completed(['graph', 'diff', ''], env)).found).toEqual([])
      expect((await completed(['get', ''], { ...env, COORDINATOR_NAMESPACE: 'shop' })).found).toEqual([])
    }))

  it('is quiet where no coordinator answers, or the settings are wrong', async () => {
    expect((await completed(['get', ''], nowhere)).found).toEqual([])
    expect((await completed(['get', ''], { COORDINATOR_URL: 'nonsense' })).found).toEqual([])
  })

  it.each(['bash', 'zsh', 'fish'])('prints a script for %s', async (shell) => {
    const { code, stdout } = await runInProcess(['completion', shell])
    expect(code).toBe(0)
    expect(stdout).toContain('complete-words --')
    expect((await runInProcess(['completion', 'csh'])).code).toBe(2)
  })
})

/** Runs a shell in a folder in which `coordinator` is this program. */
async function inShell(shell: string, args: readonly string[]): Promise<string> {
  await using folder = await scratchFolder()
  const bin = `${folder.path}/bin`
  await mkdir(bin)
  await symlink(resolve('bin/coordinator.js'), `${bin}/coordinator`)
  const PATH = `${bin}:${resolve('node_modules/.bin')}:${process.env['PATH']}`
  const env = plainEnv({ ...nowhere, PATH, HOME: folder.path })
  const { stdout } = await execute(shell, args, { env, cwd: folder.path })
  return stdout
}

describe('the script', () => {
  itWith('bash')('for bash completes commands, values, and options with an equals sign', async () => {
    const script = `
      source <(coordinator completion bash)
      ask() { COMP_LINE="$1"; COMP_POINT=\${#1}; COMP_WORDS=($1 ''); COMP_CWORD=1; _coordinator; echo "\${COMPREPLY[*]}"; }
      ask 'coordinator ser'
      ask 'coordinator graph cr'
      ask 'coordinator services -o '
      ask 'coordinator services --output=j'
    `
    expect(await inShell('bash', ['-c', script])).toBe(
      'serve services\ncritical\ntable wide json yaml\njson\n',
    )
  })

  itWith('zsh')('for zsh completes commands', async () => {
    const script = `
      autoload -U compinit && compinit -u -D
      compadd() { [[ "$1" == -- ]] && shift; print -- "$@" }
      source <(coordinator completion zsh)
      words=(coordinator graph cr); CURRENT=3; _coordinator
    `
    expect(await inShell('zsh', ['-f', '-c', script])).toBe('critical\n')
  })

  itWith('fish')('for fish completes commands', async () => {
    const script = `coordinator completion fish | source; complete -C 'coordinator graph cr'`
    expect(await inShell('fish', ['--no-config', '-c', script])).toBe('critical\n')
  })
})
