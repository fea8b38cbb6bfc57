import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Item } from '../../../src/cli/import/item.ts'
import { readItems } from '../../../src/cli/import/read-items.ts'
import { splitLines } from '../../../src/cli/import/split-lines.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'coordinator-import-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** No other format is known here. */
const formats = async () => () => undefined

async function read(text: string | Buffer): Promise<Item[]> {
  return Array.fromAsync(readItems('-', { stdin: Readable.from([Buffer.from(text)]), formats }))
}

const values = (items: readonly Item[]) => items.map(({ value }) => value)

describe('coordinator import: reading', () => {
  it('takes a JSON array, on one line or on many', async () => {
    for (const text of ['[{"a":1},{"a":2}]', '[\n {"a":1},\n {"a":2}\n]\n', '\ufeff\n [{"a":1},\n{"a":2}]']) {
      const items = await read(text)
      expect(values(items)).toEqual([{ a: 1 }, { a: 2 }])
      expect(items.map(({ place }) => place)).toEqual(['item 1', 'item 2'])
      expect(items.map(({ fraction }) => fraction)).toEqual([0.5, 1])
    }
  })

  it('takes one registration, on one line or on many', async () => {
    expect(values(await read('{"serviceName":"a"}'))).toEqual([{ serviceName: 'a' }])
    expect(values(await read('{\n"serviceName":"a"\n}\n'))).toEqual([{ serviceName: 'a' }])
  })

  it('takes an answer of GET /services', async () => {
    const answer = { success: true, services: [{ serviceName: 'a' }, { serviceName: 'b' }], total: 2 }
    expect(values(await read(JSON.stringify(answer)))).toEqual(answer.services)
    expect(values(await read(JSON.stringify(answer, null, 2)))).toEqual(answer.services)
  })

  it('takes JSON Lines, and goes on after a line that is none', async () => {
    const items = await read('{"a":1}\r\n\n{"a":\n{"a":"\u2028"}')
    expect(values(items)).toEqual([{ a: 1 }, undefined, { a: '\u2028' }])
    expect(items.map(({ place }) => place)).toEqual(['line 1', 'line 3', 'line 4'])
    expect(items[1]?.fault).toEqual({
      code: 'COORD_BODY_NOT_JSON',
      reason: expect.stringMatching(/^is not JSON/),
    })
  })

  it('takes an empty array as nothing to do', async () => {
    expect(await read('[]')).toEqual([])
  })

  it('knows from a file how far it is', async () => {
    const path = join(folder, 'two.jsonl')
    await writeFile(path, '{"a":1}\n{"a":2}\n')
    const items = await Array.fromAsync(readItems(path, { stdin: Readable.from([]), formats }))
    expect(items.map(({ fraction }) => fraction)).toEqual([0.5, 1])
  })

  it.each([
    ['nothing', '', /is empty/],
    ['white space', ' \n\n', /is empty/],
    ['broken JSON', '[{"a":1},', /is not JSON/],
    ['a text', '"services"', /neither an object nor a list/],
    ['a number', '5', /neither an object nor a list/],
    ['bytes that are not UTF-8', Buffer.from([0x7b, 0xff, 0xfe, 0x7d]), /^standard input is not UTF-8/],
  ])('refuses %s with COORD_CLI_FILE', async (_what, text, detail) => {
    await expect(read(text)).rejects.toMatchObject({
      code: 'COORD_CLI_FILE',
      exitCode: 74,
      detail: expect.stringMatching(detail),
    })
  })

  it.each([
    ['absent.json', /does not exist/],
    ['', /is a folder/],
  ])('refuses the path "%s" with COORD_CLI_FILE', async (name, detail) => {
    const reading = Array.fromAsync(readItems(join(folder, name), { stdin: Readable.from([]), formats }))
    await expect(reading).rejects.toMatchObject({
      code: 'COORD_CLI_FILE',
      detail: expect.stringMatching(detail),
    })
  })

  it('finds the same lines however the bytes are cut into chunks', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: 'grapheme' }).filter((line) => !/[\r\n]/.test(line))),
        fc.integer({ min: 1, max: 7 }),
        async (lines, size) => {
          const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''))
          const chunks: Buffer[] = []
          for (let start = 0; start < bytes.length; start += size)
            chunks.push(bytes.subarray(start, start + size))
          const found = await Array.fromAsync(splitLines(Readable.from(chunks)))
          expect(found.map(({ text }) => text)).toEqual(lines)
          expect(found.at(-1)?.end ?? 0).toBe(bytes.length)
        },
      ),
    )
  })
})
