import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { KNOWN_IMAGES, KNOWN_PORTS } from '../../src/cli/formats/reading/known-transports.ts'
import { plainEnv, serving } from '../main/coordinator-process.ts'
import { itWith } from '../support/it-with.ts'

const guide = readFileSync('docs/import.md', 'utf8')

describe('docs/import.md', () => {
  it('lists every image that the import knows, with its scheme and port', () => {
    const rows = KNOWN_IMAGES.map(
      ({ images, scheme, port }) =>
        `| ${images.map((image) => `\`${image}\``).join(', ')} | \`${scheme}\`, ${port} |`,
    )
    expect(guide).toContain(`| image | endpoint |\n|---|---|\n${rows.join('\n')}\n\n`)
  })

  it('lists every port that the import knows, with its scheme', () => {
    const [, table = ''] = /\| port \| scheme \|\n\|---\|---\|\n([\s\S]*?)\n\n/.exec(guide) ?? []
    const listed = [...table.matchAll(/^\| ([\d, ]+) \| `(\w+)` \|$/gm)].flatMap(([, ports = '', scheme]) =>
      ports.split(', ').map((port) => [Number(port), scheme]),
    )
    expect(listed.sort()).toEqual([...KNOWN_PORTS].sort())
  })
})

itWith('bash')('the commands of docs/import.md work, one after the other', async () => {
  await using coordinator = await serving()
  const [, block = ''] = /```sh\n([\s\S]*?)```/.exec(guide) ?? []
  const script = block.replaceAll('npx coordinator', `'${process.execPath}' bin/coordinator.js`)
  const env = plainEnv({ COORDINATOR_URL: coordinator.url })
  const { stdout } = await promisify(execFile)('bash', ['-euc', script], { env })
  expect(stdout).toMatch(/^Would import \d\d services/m)
  expect(stdout.match(/, 0 failed/g)).toHaveLength(4)
})
