import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { KNOWN_IMAGES, KNOWN_PORTS } from '../../src/cli/formats/reading/known-transports.ts'

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
