import { exec } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import packageJson from '../../package.json' with { type: 'json' }
import { settingsTable } from '../../src/config/table.ts'
import {
  ask,
  plainEnv,
  runCoordinator,
  type Serving,
  scratchFolder,
  serving,
} from '../main/coordinator-process.ts'
import { itWith } from '../support/it-with.ts'

const shell = promisify(exec)
const readme = readFileSync('README.md', 'utf8')

/** Fenced blocks of a language, in order. */
function blocks(language: string): string[] {
  return [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(
    ([, text]) => text as string,
  )
}

/** The commands of all blocks, each in one piece. */
const commands = blocks('sh').flatMap((block) => block.trim().split(/\n(?![\s}])/))

let coordinator: Serving
let folder: Awaited<ReturnType<typeof scratchFolder>>
/** The coordinator that demands credentials, once the command that starts it ran. */
let closed: Serving | undefined
beforeAll(async () => {
  coordinator = await serving()
  folder = await scratchFolder()
})
afterAll(async () => {
  await closed?.[Symbol.asyncDispose]()
  await coordinator[Symbol.asyncDispose]()
  await folder[Symbol.asyncDispose]()
})

const program = `"${process.execPath}" "${resolve('bin/coordinator.js')}"`

/**
 * A command of the README, for this coordinator and the program of this checkout: outside of the
 * checkout, `npx` would look for a package of that name in the registry.
 */
const here = (command: string) =>
  command.replaceAll('http://localhost:3000', coordinator.url).replaceAll('npx coordinator', program)

/** Runs a command of the package, and demands that it says something, here or in the file it writes. */
async function runCommand(command: string, { url, cwd }: { url: string; cwd: string }): Promise<void> {
  const env = plainEnv({ COORDINATOR_URL: url })
  const { stdout, stderr } = await shell(here(command), { env, cwd })
  const [, file] = / > (\S+?)\)?$/.exec(command) ?? []
  expect(file === undefined ? stdout + stderr : readFileSync(`${cwd}/${file}`, 'utf8')).not.toBe('')
}

/** What a command needs besides Node.js. */
function programsOf(command: string): string[] {
  if (command.startsWith('curl ')) return ['curl']
  return /umask|AUTH=|--token-file/.test(command) ? ['openssl'] : []
}

/** How each kind of command is tried here. `npm ci` is what brought this test to life. */
const kinds: readonly [RegExp, (command: string) => Promise<void>][] = [
  [/^npm ci$/, async () => expect(readFileSync('.ci/run', 'utf8')).toContain('npm ci')],
  [
    /^npm (test|run [\w:]+)$/,
    async (command) => expect(packageJson.scripts).toHaveProperty(command.replace(/^npm (run )?/, '')),
  ],
  [/^((DATABASE|BACKUP)_URL=\S+ )*npm start$/, startAndStop],
  [
    /^curl /,
    async (command) => {
      const { stdout } = await shell(`${here(command)} --silent --fail-with-body`, { env: plainEnv() })
      expect(JSON.parse(stdout)).toMatchObject({ success: true })
    },
  ],
  [/^\(umask 077; openssl /, async (command) => void (await shell(command, { cwd: folder.path }))],
  [/^HOST=\S+ AUTH=required .+ npm start$/, startClosed],
  [
    /^(\(umask 077; )?npx coordinator .+ --token-file /,
    (command) => runCommand(command, { url: closed?.url ?? '', cwd: folder.path }),
  ],
  [/^npx coordinator /, (command) => runCommand(command, { url: coordinator.url, cwd: '.' })],
]

/** Runs the script `start` with the settings of a command, below another folder. */
async function startAndStop(command: string): Promise<void> {
  await using folder = await scratchFolder()
  expect(packageJson.scripts.start).toBe('node bin/coordinator.js serve')
  const pairs = [...command.matchAll(/(\w+)=(\S+) /g)].map(([, name = '', value = '']) => [name, value])
  await using started = await serving({ cwd: folder.path, env: Object.fromEntries(pairs) })
  expect((await started.stop()).code).toBe(0)
  for (const [, url] of pairs)
    expect(existsSync(resolve(folder.path, String(url).replace(/^\w+:/, ''))), url).toBe(true)
}

/** Starts the coordinator that the commands after this one use. It listens on this machine only. */
async function startClosed(command: string): Promise<void> {
  const pairs = [...command.matchAll(/(\w+)=(\S+) /g)].map(([, name, value]) => [name, value])
  closed = await serving({ cwd: folder.path, env: { ...Object.fromEntries(pairs), HOST: '127.0.0.1' } })
  expect((await ask(`${closed.url}/services`)).status).toBe(401)
}

describe('README', () => {
  it('has commands', () => {
    expect(commands.length).toBeGreaterThan(8)
  })

  for (const command of commands)
    itWith(...programsOf(command))(command, async () => {
      const run = kinds.find(([pattern]) => pattern.test(command))?.[1]
      expect(run, 'this test knows no such command').toBeDefined()
      await run?.(command)
    })

  itWith('curl')('shows what the quick check answers', async () => {
    const [quickCheck] = commands.filter((command) => command.startsWith('curl -X POST'))
    await using fresh = await serving()
    const command = (quickCheck as string).replace('http://localhost:3000', fresh.url)
    const answer = JSON.parse((await shell(`${command} --silent`)).stdout)
    const shown = JSON.parse(blocks('json')[0] as string)
    expect(answer).toMatchObject({ ...shown, serviceId: expect.any(String) })
  })

  it('names settings that exist, with their defaults', () => {
    const table = /## Settings\n([\s\S]*?)\n## /.exec(readme)?.[1] ?? ''
    const rows = [...table.matchAll(/^\| `(\w+)` \| (.+?) \|/gm)]
    expect(rows.length).toBeGreaterThan(3)
    const known = Object.values(settingsTable).flatMap((section) => Object.values(section))
    for (const [, name, shown] of rows) {
      const setting = known.find((definition) => definition.name === name)
      expect(setting, name).toBeDefined()
      if (setting?.default !== undefined) expect(shown, name).toBe(`\`${String(setting.default)}\``)
    }
  })

  it('names requests that are answered', async () => {
    await using fresh = await serving()
    await runCoordinator(['import', 'examples/data/opentelemetry-demo.json', '--url', fresh.url])
    const paths = [...readme.matchAll(/`GET (\/[^`]+)`/g)].map(([, path]) => path as string)
    expect(paths.length).toBeGreaterThan(1)
    for (const path of paths)
      expect({ path, status: (await ask(fresh.url + path)).status }).toEqual({ path, status: 200 })
  })

  it('links only to files that exist', () => {
    const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map(([, path]) => path as string)
    expect(links.length).toBeGreaterThan(3)
    expect(links.filter((path) => !existsSync(path))).toEqual([])
  })
})
