import { execFile } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { plainEnv, serving } from '../main/coordinator-process.ts'
import { itWith } from '../support/it-with.ts'

const execute = promisify(execFile)

/** Guides whose commands need nothing but a coordinator. */
const guides = ['docs/registry.md', 'docs/knowledge-graph.md', 'docs/export-import.md', 'docs/console.md']

/** A command that fails ends the block. A stream has no end of its own: two seconds of it are enough. */
const prelude = `set -euo pipefail
curl() { command curl --silent --show-error --fail-with-body --max-time 2 "$@" || [ $? = 28 ]; }
`

function blocks(text: string, language: string): string[] {
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(
    ([, block]) => block ?? '',
  )
}

describe.each(guides)('%s', (guide) => {
  itWith('bash', 'curl')(
    'has commands that work, one after the other, and names requests that are answered',
    async () => {
      await using coordinator = await serving()
      const text = readFileSync(guide, 'utf8')
      const commands = blocks(text, 'sh')
      expect(commands.length).toBeGreaterThan(1)
      for (const block of commands) {
        const script = block
          .replaceAll('http://127.0.0.1:3000', coordinator.url)
          .replaceAll('npx coordinator', `'${process.execPath}' bin/coordinator.js`)
        const env = plainEnv({ COORDINATOR_URL: coordinator.url })
        const { stdout } = await execute('bash', ['-c', prelude + script], { env })
        expect(stdout, block).not.toBe('')
      }
      // Capital letters stand for what the reader fills in.
      const paths = [...text.matchAll(/`GET (\/[^`]+)`/g)].flatMap(([, path = '']) =>
        /[A-Z]{2}/.test(path) ? [] : [path],
      )
      expect(paths.length).toBeGreaterThan(1)
      for (const path of paths)
        expect({ path, status: (await fetch(coordinator.url + path)).status }).toEqual({ path, status: 200 })
    },
  )
})

describe('links between documents', () => {
  const documents = ['README.md', 'AGENTS.md', 'CHANGELOG.md', ...globSync('docs/**/*.md')]

  it.each(documents)('%s leads only to files and headings that exist', (path) => {
    const links = [...readFileSync(path, 'utf8').matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g)]
    const dead = links.filter(([, file = '', heading]) => {
      const target = file === '' ? path : join(dirname(path), file)
      return !existsSync(target) || (heading !== undefined && !headings(target).includes(heading))
    })
    expect(dead.map(([link]) => link)).toEqual([])
  })
})

describe('ways to documents', () => {
  it('README.md leads to every page of docs, directly or through other pages', () => {
    const reached = new Set(['README.md'])
    for (const page of reached) {
      for (const [, target = ''] of readFileSync(page, 'utf8').matchAll(/\]\((?!https?:)([^)#\s]+\.md)/g))
        reached.add(join(dirname(page), target))
    }
    const lost = globSync('docs/*.md').filter((page) => !reached.has(page))
    expect(lost).toEqual([])
  })
})

/** The names under which GitHub offers the headings of a document. */
function headings(path: string): string[] {
  return [...readFileSync(path, 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  )
}
