import { execFile } from 'node:child_process'
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { replaceFolder } from '../../scripts/replace-folder.ts'
import { type ServerScope, withServer } from '../http/with-server.ts'
import { builtConsole } from './browser/built-console.ts'

const run = promisify(execFile)

/** Runs a test with a coordinator, and the folder of the console that it serves: CHECKOUT/dist/console. */
async function withCheckout(
  body: (server: ServerScope, place: { readonly checkout: string; readonly folder: string }) => Promise<void>,
): Promise<void> {
  const checkout = await mkdtemp(join(tmpdir(), 'coordinator-built-again-'))
  const folder = join(checkout, 'dist/console')
  try {
    await cp(await builtConsole(), folder, { recursive: true })
    await withServer((server) => body(server, { checkout, folder }), { consoleFolder: folder })
  } finally {
    await rm(checkout, { recursive: true, force: true })
  }
}

/** The console with another first script: the names of files change with their content. */
async function otherConsole(folder: string): Promise<void> {
  await cp(await builtConsole(), folder, { recursive: true })
  const page = join(folder, 'index.html')
  const html = await readFile(page, 'utf8')
  const script = firstScript(html)
  await writeFile(join(folder, 'assets', `other-${script}`), await readFile(join(folder, 'assets', script)))
  await rm(join(folder, 'assets', script))
  await writeFile(page, html.replaceAll(script, `other-${script}`))
}

function firstScript(html: string): string {
  return /src="\.\/assets\/([^"]+)"/.exec(html)?.[1] ?? ''
}

/** Asks for the page without a pause until the work is done, and returns the scripts that the pages named. */
async function pagesDuring({ ask }: ServerScope, work: Promise<unknown>): Promise<Set<string>> {
  const seen = new Set<string>()
  let done = false
  const end = work.finally(() => {
    done = true
  })
  const asking = async () => {
    while (!done) {
      const { status, text } = await ask('/console/', { headers: { accept: 'text/html' } })
      expect([status, firstScript(text)]).toEqual([200, expect.stringMatching(/\.js$/)])
      seen.add(firstScript(text))
    }
  }
  await Promise.all([end, asking()])
  return seen
}

describe('console: built again while a coordinator runs', () => {
  it('is answered at every moment of `npm run build:console`', () =>
    withCheckout(async (server, { checkout, folder }) => {
      const before = await readdir(folder, { recursive: true })
      const script = resolve('scripts/prepare.js')
      const seen = await pagesDuring(server, run(process.execPath, [script], { cwd: checkout }))
      expect(seen.size).toBe(1)
      expect((await readdir(folder, { recursive: true })).sort()).toEqual(before.sort())
    }))

  it('changes to the new one as a whole, of which nothing is missing', () =>
    withCheckout(async (server, { folder }) => {
      const replaceOften = async () => {
        for (let round = 0; round < 8; round += 1) {
          await replaceFolder(folder, otherConsole)
          if (round < 7)
            await replaceFolder(folder, async (empty) => cp(await builtConsole(), empty, { recursive: true }))
        }
      }
      const seen = await pagesDuring(server, replaceOften())
      const { text } = await server.ask('/console/', { headers: { accept: 'text/html' } })
      const script = firstScript(text)
      expect([...seen].every((name) => `other-${name}` === script || name === script)).toBe(true)
      for (const [, path = ''] of text.matchAll(/"\.\/(assets\/[^"]+)"/g))
        expect([path, (await server.ask(`/console/${path}`)).status]).toEqual([path, 200])
      // What the new build lacks is gone, and nothing of the building is left.
      const names = await readdir(folder, { recursive: true })
      expect(names).toContain(join('assets', script))
      expect(names.filter((name) => name.includes('building'))).toEqual([])
      expect(names).not.toContain(join('assets', script.replace('other-', '')))
    }))

  it('stays as it was if the build fails', () =>
    withCheckout(async (_, { folder }) => {
      const before = await readdir(folder, { recursive: true })
      const failing = async (empty: string) => {
        await writeFile(join(empty, 'index.html'), 'half')
        throw new Error('no space')
      }
      await expect(replaceFolder(folder, failing)).rejects.toThrow('no space')
      expect(await readdir(folder, { recursive: true })).toEqual(before)
      expect(await readFile(join(folder, 'index.html'), 'utf8')).toContain('<html')
    }))
})
