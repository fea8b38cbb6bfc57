import { generateIdentity, identityToRecipient } from 'age-encryption'
import { describe, expect, test } from 'vitest'
import { readAccess, writeAccess } from '../../../src/archive/format/access-file.ts'
import type { NewFile } from '../../../src/archive/format/archive-format.ts'
import { entryLine } from '../../../src/archive/format/entry-line.ts'
import { FileTextWriter } from '../../../src/archive/format/file-text.ts'
import { openFile } from '../../../src/archive/format/pack-file.ts'
import { readBasePart } from '../../../src/archive/format/read-base.ts'
import { readLog } from '../../../src/archive/format/read-log.ts'
import { writeBase } from '../../../src/archive/format/write-base.ts'
import { writeLog } from '../../../src/archive/format/write-log.ts'
import { packFrame, unpackFrame } from '../../../src/archive/format/zstd-frame.ts'
import {
  collected,
  inPages,
  newLineage,
  pointAfter,
  recordsAfter,
  sampleLog,
  sha256,
} from '../../support/archive-samples.ts'

const damage = { code: 'COORD_ARCHIVE_DAMAGED' }
const lineage = newLineage()

interface Sample {
  readonly file: NewFile
  readonly read: (file: NewFile) => Promise<unknown>
}

/** One file of each kind, with what reads it. */
async function samples(
  recipients: readonly string[] = [],
  identities: readonly string[] = [],
): Promise<Sample[]> {
  const page = sampleLog(lineage, 300)
  const point = pointAfter(lineage, page.entries)
  const options = { recordBytes: 0, at: () => 7, recipients }
  const [base] = await collected(writeBase(point, inPages(recordsAfter(page.entries)), options))
  const token = { id: 'abcdef012345', name: 'ci', scopes: ['read'], secretHash: '0'.repeat(64) }
  const times = { createdAt: 5, createdBy: 'cli:a', expiresAt: null, revokedAt: 9, revokedBy: 'cli:b' }
  const tokens = { requiredSince: 3, tokens: [{ ...token, ...times }] }
  return [
    { file: base as NewFile, read: (file) => collected(readBasePart(file, identities)) },
    { file: await writeLog(page, { recipients }), read: (file) => readLog(file, identities) },
    {
      file: await writeAccess(tokens, lineage, { at: 5, recipients }),
      read: (file) => readAccess(file, identities),
    },
  ]
}

function flipped(content: Uint8Array, bit: number): Uint8Array {
  const copy = Uint8Array.from(content)
  copy[bit >> 3] = (copy[bit >> 3] as number) ^ (1 << (bit & 7))
  return copy
}

describe.each(['plain', 'encrypted'])('%s: a file that is damaged', (kind) => {
  async function prepared(): Promise<Sample[]> {
    if (kind === 'plain') return samples()
    const identity = await generateIdentity()
    return samples([await identityToRecipient(identity)], [identity])
  }

  test('is refused with each of hundreds of bits flipped, unless all its text is as it was', async () => {
    let refused = 0
    for (const { file, read } of await prepared()) {
      const whole = await read(file)
      const bits = file.content.length * 8
      for (let at = 0; at < 250; at += 1) {
        // Spread over the file, with its beginning and its end.
        const bit = at < 100 ? at : at < 150 ? bits - 1 - (at - 100) : Math.floor((at * 7_919 * 13) % bits)
        const result = await read({ ...file, content: flipped(file.content, bit) }).catch((error) => error)
        // Some bits of a Zstandard frame mean nothing: its checksum, and the SHA-256 of the whole text, are as they were.
        if (result instanceof Error) {
          refused += 1
          expect(result).toMatchObject({
            code: expect.stringMatching(/^COORD_ARCHIVE_(DAMAGED|NO_IDENTITY)$/),
          })
        } else expect(result).toEqual(whole)
      }
    }
    expect(refused).toBeGreaterThan(700)
  })

  test('is refused when it is cut off anywhere', async () => {
    for (const { file, read } of await prepared())
      for (let at = 0; at < 60; at += 1) {
        const length =
          at < 20 ? at : file.content.length - 1 - Math.floor(((at - 20) * file.content.length) / 41)
        await expect(read({ ...file, content: file.content.subarray(0, length) })).rejects.toMatchObject(
          damage,
        )
      }
  })

  test('is refused with bytes or another whole file behind it', async () => {
    for (const { file, read } of await prepared())
      for (const tail of [new Uint8Array(1), Buffer.from('\n'), file.content])
        await expect(read({ ...file, content: Buffer.concat([file.content, tail]) })).rejects.toMatchObject(
          damage,
        )
  })

  test('is refused under the name of another file', async () => {
    for (const { file, read } of await prepared()) {
      const names = [
        file.name.replace(lineage.lineage, newLineage().lineage),
        file.name.replace(/\d{3}(?=-)/, '777'),
        file.name.replace(/[0-9a-f]{8}(?=(-\d{4}-of-\d{4})?\.ndjson)/, '00000000'),
        file.name.replace('0001-of-0001', '0001-of-0002'),
        file.name.replace('/base/', '/log/'),
        'notes.txt',
      ].filter((name) => name !== file.name)
      expect(names.length).toBeGreaterThanOrEqual(4)
      for (const name of names) await expect(read({ ...file, name })).rejects.toMatchObject(damage)
    }
  })

  test('is refused with the content of another file of the archive', async () => {
    const [base, log, access] = await prepared()
    for (const [one, other] of [
      [base, log],
      [log, access],
      [access, base],
    ])
      await expect(
        one?.read({ name: one.file.name, content: other?.file.content ?? new Uint8Array() }),
      ).rejects.toMatchObject(damage)
  })
})

describe('a file that was made to harm', () => {
  async function packed(name: string, lines: readonly string[], trailer?: string): Promise<NewFile> {
    const text = new FileTextWriter()
    for (const line of lines) text.add(line)
    // What a base says at its end.
    const whole = text.finish({ records: lines.length - 1, state: 'a'.repeat(64) })
    const content =
      trailer === undefined
        ? whole
        : Buffer.concat([Buffer.from(`${lines.join('\n')}\n`), Buffer.from(trailer)])
    return { name, content: await packFrame(content) }
  }

  test('that unpacks to more than it may is refused before it takes memory', async () => {
    const bomb = await packFrame(new Uint8Array(129 * 1_048_576))
    expect(bomb.length).toBeLessThan(100_000)
    const before = process.memoryUsage.rss()

    await expect(unpackFrame('bomb', bomb)).rejects.toMatchObject(damage)
    expect(process.memoryUsage.rss() - before).toBeLessThan(64 * 1_048_576)
  })

  test('that lies about its size is refused', async () => {
    const frame = Buffer.from(await packFrame(new Uint8Array(100_000)))
    // Four bytes of size stand behind the descriptor of a frame of one segment.
    expect(frame.readUInt32LE(5)).toBe(100_000)
    frame.writeUInt32LE(50_000, 5)

    await expect(unpackFrame('liar', frame)).rejects.toMatchObject(damage)
  })

  test('that a newer program wrote tells to upgrade', async () => {
    const { file } = (await samples())[1] as Sample
    const { text } = await openFile('log', file)
    const header = JSON.stringify({ ...text.header, format: 2, program: '9.9.9' })
    const error = await readLog(await packed(file.name, [header])).catch((thrown) => thrown)

    expect(error).toMatchObject({ ...damage, hint: expect.stringContaining('Upgrade') })
    expect(error.detail).toContain('9.9.9')
  })

  test('names the line that is at fault', async () => {
    const { file } = (await samples())[1] as Sample
    const { text } = await openFile('log', file)
    const lines = [...text.lines()].map(({ line }) => line)
    const header = JSON.stringify(text.header)
    const foreign = sampleLog(newLineage(), 1)
    const cases: [string[], number][] = [
      [[header, ...lines.with(4, '{"no":"entry"}')], 6],
      [[header, ...lines.with(4, 'no json')], 6],
      [[header, ...lines.toSpliced(4, 1)], 6],
      [[header, ...lines.with(0, entryLine(foreign.entries[0] as (typeof foreign.entries)[0]))], 2],
      [['[]', ...lines], 1],
    ]
    for (const [changed, line] of cases) {
      const error = await readLog(await packed(file.name, changed)).catch((thrown) => thrown)
      expect(error).toMatchObject({ ...damage, extra: { file: file.name, line } })
      expect(error.detail).toContain(`line ${line}`)
    }
  })

  test('that lacks its last entry is refused', async () => {
    const { file } = (await samples())[1] as Sample
    const { text } = await openFile('log', file)
    const lines = [...text.lines()].map(({ line }) => line).slice(0, -1)

    await expect(
      readLog(await packed(file.name, [JSON.stringify(text.header), ...lines])),
    ).rejects.toMatchObject(damage)
  })

  test('with records out of order, twice, or newer than the base is refused', async () => {
    const { file, read } = (await samples())[0] as Sample
    const { text } = await openFile('base', file)
    const lines = [...text.lines()].map(({ line }) => line)
    const header = JSON.stringify(text.header)
    const [first = '', second = '', ...rest] = lines
    expect(await read(await packed(file.name, [header, ...lines]))).toHaveLength(1)
    const cases: [string[], number][] = [
      [[second, first, ...rest], 3],
      [[first, first, ...rest], 3],
      [[first.replace(/"revision":\d+/, '"revision":999'), second, ...rest], 2],
    ]
    for (const [changed, line] of cases)
      await expect(read(await packed(file.name, [header, ...changed]))).rejects.toMatchObject({
        ...damage,
        extra: { line },
      })
  })

  test('without its last line, or with another one, is refused', async () => {
    const { file } = (await samples())[1] as Sample
    const { text } = await openFile('log', file)
    const lines = [JSON.stringify(text.header), ...[...text.lines()].map(({ line }) => line)]
    const sum = sha256(Buffer.from(`${lines.join('\n')}\n`))
    const right = `{"lines":${lines.length},"sha256":"${sum}"}\n`
    expect((await readLog(await packed(file.name, lines, right))).entries).toHaveLength(lines.length - 1)
    for (const trailer of [
      '',
      '{}\n',
      '{"lines":1}\n',
      `{"lines":${lines.length},"sha256":"${'0'.repeat(64)}"}\n`,
      `{"lines":${lines.length - 1},"sha256":"${sum}"}\n`,
      'x\n',
    ])
      await expect(readLog(await packed(file.name, lines, trailer))).rejects.toMatchObject(damage)
  })
})
