import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { registration, type Serving, scratchFolder, serving } from '../../main/coordinator-process.ts'
import { linesFile, namesAt, runAt } from './import-into.ts'

let from: Serving
let to: Serving
let folder: Awaited<ReturnType<typeof scratchFolder>>
beforeAll(async () => {
  ;[from, to, folder] = await Promise.all([serving(), serving(), scratchFolder()])
  const services = Array.from({ length: 121 }, (_, at) => registration(`whole-${at}`))
  await runAt(from, ['import', '-'], JSON.stringify(services))
})
afterAll(async () => {
  for (const one of [from, to, folder]) await one[Symbol.asyncDispose]()
})

const saved = async (name: string, path: string, accept = 'application/json') => {
  const response = await fetch(from.url + path, { headers: { accept } })
  const file = join(folder.path, name)
  await writeFile(file, await response.text())
  return file
}

describe('coordinator import of what curl saved', () => {
  it('refuses a page of GET /services that is not all, says how to get all, and registers nothing of it', async () => {
    const file = await saved('page.json', '/services')
    const { code, stdout, stderr } = await runAt(to, ['import', file])
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toBe(
      `coordinator: ${file} is only a page: it has 100 of 121 services. Write all of them with \`coordinator export\`, or ask for them with the header \`Accept: application/x-ndjson\`. [COORD_CLI_FILE_PARTIAL]\n`,
    )
    expect(await namesAt(to)).toEqual([])
  })

  it.each([
    ['a page that is all', '/services?limit=1000', 'application/json'],
    ['JSON lines', '/services', 'application/x-ndjson'],
    ['a snapshot', '/snapshot', 'application/x-ndjson'],
  ])('takes %s', async (what, path, accept) => {
    await using target = await serving()
    const file = await saved(`${what}.json`, path, accept)
    const { code, stdout } = await runAt(target, ['import', file])
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: '121 services: 121 new, 0 changed, 0 unchanged, 0 failed\n',
    })
    expect((await runAt(target, ['import', file])).stdout).toBe(
      '121 services: 0 new, 0 changed, 121 unchanged, 0 failed\n',
    )
  })

  it('takes several pages, one on each line, if nothing is missing between them', async () => {
    const { services } = (await (await fetch(`${from.url}/services?limit=1000`)).json()) as {
      services: unknown[]
    }
    const [first, second] = [services.slice(0, 100), services.slice(100)]
    const pages = [
      { success: true, services: first, total: 121, nextCursor: 'x' },
      { success: true, services: second, total: 121 },
    ]
    await using target = await serving()
    const whole = await linesFile(folder.path, 'pages.jsonl', pages)
    expect((await runAt(target, ['import', whole])).stdout).toMatch(/^121 services: 121 new/)
    const gap = await linesFile(folder.path, 'gap.jsonl', [
      pages[0],
      { ...pages[1], services: second.slice(1) },
    ])
    expect(await runAt(target, ['import', gap])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('has 120 of 121 services'),
    })
  })

  it.each([
    ['at a line', (text: string) => text.split('\n').slice(0, 51).join('\n')],
    ['in a line', (text: string) => text.slice(0, Math.floor(text.length / 2))],
  ])('finds out that a snapshot was cut off %s', async (_where, cut) => {
    const response = await fetch(`${from.url}/snapshot`)
    const file = join(folder.path, 'cut.jsonl')
    await writeFile(file, cut(await response.text()))
    await using target = await serving()
    const { code, stderr } = await runAt(target, ['import', file])
    expect(code).toBe(1)
    expect(stderr).toMatch(/ends too early: it has \d+ of 121 records\..*\[COORD_CLI_FILE_PARTIAL\]\n$/)
  })

  it.each([1, 100, 122])(
    'finds out that the export of a namespace was cut off after %d lines',
    async (lines) => {
      const { stdout } = await runAt(from, ['export', '--namespace', 'default'])
      const file = join(folder.path, 'cut-namespace.jsonl')
      const cut = stdout.split('\n').slice(0, lines).join('\n')
      for (const text of [cut, stdout + cut]) {
        await writeFile(file, text)
        const { code, stderr } = await runAt(to, ['import', file, '--dry-run'])
        expect([code, stderr]).toEqual([
          1,
          expect.stringContaining('its last line, with the number of records'),
        ])
      }
      await writeFile(file, stdout + stdout)
      expect(await runAt(to, ['import', file, '--dry-run'])).toMatchObject({ code: 0 })
    },
  )
})
