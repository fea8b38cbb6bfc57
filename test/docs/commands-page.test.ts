import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { runInProcess } from '../cli/run-in-process.ts'
import { plainEnv, serving } from '../main/coordinator-process.ts'
import { itWith } from '../support/it-with.ts'

const text = readFileSync('docs/commands.md', 'utf8')

it('docs/commands.md lists every command', async () => {
  const { stdout } = await runInProcess(['complete-words', '--', ''])
  const [, ...commands] = stdout.trimEnd().split('\n')
  const listed = [...text.matchAll(/^\| (`.+?) \|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`([a-z-]+)[^`]*`/g)].map(([, name]) => name),
  )
  expect(commands.filter((command) => command !== 'help' && !listed.includes(command))).toEqual([])
})

it.each(['README.md', 'docs/commands.md', 'docs/import.md', 'docs/export-import.md'])(
  '%s names only options of commands that have them',
  async (page) => {
    const lines = [...readFileSync(page, 'utf8').matchAll(/npx coordinator ([a-z-]+)(.*)/g)]
    expect(lines.length).toBeGreaterThan(0)
    for (const [line, command = '', rest = ''] of lines) {
      const [own = ''] = rest.split(/[|#;)`]/)
      const options = [...own.matchAll(/ (--[a-z-]+)/g)].map(([, option]) => option)
      if (options.length === 0 || ['help', 'graph', 'token', 'migrate'].includes(command)) continue
      const { stdout } = await runInProcess([command, '--help'])
      expect({ line, unknown: options.filter((option) => !stdout.includes(`${option} `)) }).toEqual({
        line,
        unknown: [],
      })
    }
  },
)

itWith('bash')('the commands of docs/commands.md work, one after the other', async () => {
  await using coordinator = await serving()
  const [, block = ''] = /```sh\n([\s\S]*?)```/.exec(text) ?? []
  const script = block.replaceAll('npx coordinator', `'${process.execPath}' bin/coordinator.js`)
  const env = plainEnv({ COORDINATOR_URL: coordinator.url })
  const { stdout } = await promisify(execFile)('bash', ['-euc', script], { env })
  expect(stdout).toMatch(/^Registered pricing 1\.4\.0: new/m)
  expect(stdout).toMatch(/^Deregistered pricing /m)
})
