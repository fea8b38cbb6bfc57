import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer, text } from 'node:stream/consumers'
import { generateIdentity, identityToRecipient } from 'age-encryption'
import { describe, expect, onTestFinished } from 'vitest'
import { readBasePart } from '../../../src/archive/format/read-base.ts'
import { readLog } from '../../../src/archive/format/read-log.ts'
import { writeBase } from '../../../src/archive/format/write-base.ts'
import { writeLog } from '../../../src/archive/format/write-log.ts'
import {
  collected,
  inPages,
  newLineage,
  pointAfter,
  recordsAfter,
  sampleLog,
  sha256,
} from '../../support/archive-samples.ts'
import { itWith } from '../../support/it-with.ts'

async function run(program: string, args: readonly string[], input: Uint8Array): Promise<Buffer> {
  const child = spawn(program, args, { stdio: 'pipe' })
  const [output, complaint, code] = await Promise.all([
    buffer(child.stdout),
    text(child.stderr),
    new Promise((resolve) => child.on('close', resolve)),
    new Promise<void>((resolve) => child.stdin.on('error', () => resolve()).end(input, () => resolve())),
  ])
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${complaint}`)
  return output
}

async function keyFile(): Promise<{ identity: string; recipient: string; path: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'age-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const identity = await generateIdentity()
  await writeFile(join(folder, 'key'), `# a comment\n${identity}\n`, { mode: 0o600 })
  return { identity, recipient: await identityToRecipient(identity), path: join(folder, 'key') }
}

const lineage = newLineage()
const page = sampleLog(lineage, 200)

describe('files of an archive', () => {
  itWith(
    'age',
    'zstd',
    'jq',
  )('are read by age, zstd and jq', async () => {
    const { recipient, path } = await keyFile()
    const file = await writeLog(page, { recipients: [recipient] })
    const packed = await run('age', ['-d', '-i', path], file.content)
    const lines = await run('zstd', ['-d'], packed)
    const ids = await run('jq', ['-r', 'select(.writes).commitId'], lines)

    expect(ids.toString().trim().split('\n')).toEqual(page.entries.map(({ commitId }) => commitId))
    const names = await run('jq', ['-r', 'select(.writes).writes[] | select(.data).data.name'], lines)
    expect(names.toString().trim().split('\n')).toHaveLength(160)
  })

  itWith('zstd', 'jq')('say in their last line what covers all lines before', async () => {
    const records = recordsAfter(page.entries)
    const [file] = await collected(
      writeBase(pointAfter(lineage, page.entries), inPages(records), { recordBytes: 0, at: () => 7 }),
    )
    const lines = (await run('zstd', ['-d'], file?.content ?? new Uint8Array()))
      .toString()
      .trimEnd()
      .split('\n')
    const last = JSON.parse(lines.at(-1) ?? '')

    expect(last).toMatchObject({ lines: lines.length - 1, records: records.length })
    expect(sha256(Buffer.from(`${lines.slice(0, -1).join('\n')}\n`))).toBe(last.sha256)
    const first = JSON.parse((await run('jq', ['-c', '.'], Buffer.from(lines[0] ?? ''))).toString())
    expect(first).toMatchObject({ format: 1, kind: 'base', lineage: lineage.lineage, revision: 200 })
  })

  itWith('age', 'zstd')('may be packed and encrypted by age and zstd, and are read again', async () => {
    const { identity, recipient } = await keyFile()
    const plain = await writeLog(page)
    const lines = await run('zstd', ['-d'], plain.content)
    const folder = await mkdtemp(join(tmpdir(), 'zstd-'))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    await writeFile(join(folder, 'lines'), lines)
    const packed = await run('zstd', ['-c', '-19', join(folder, 'lines')], new Uint8Array())
    const content = await run('age', ['-r', recipient], packed)

    expect(await readLog({ name: `${plain.name}.age`, content }, [identity])).toEqual(page)
    // A file of zstd that was made from a stream does not tell its size; it is refused, and not misread.
    const streamed = await run('zstd', ['-c'], lines)
    await expect(readLog({ name: plain.name, content: streamed })).rejects.toMatchObject({
      code: 'COORD_ARCHIVE_DAMAGED',
    })
  })

  itWith('zstd')('of several frames are refused, though zstd reads them', async () => {
    const records = recordsAfter(page.entries)
    const [file] = await collected(
      writeBase(pointAfter(lineage, page.entries), inPages(records), { recordBytes: 0, at: () => 7 }),
    )
    const content = file?.content ?? new Uint8Array()
    const doubled = Buffer.concat([content, content])
    expect((await run('zstd', ['-d'], doubled)).length).toBeGreaterThan(0)

    await expect(collected(readBasePart({ name: file?.name ?? '', content: doubled }))).rejects.toMatchObject(
      {
        code: 'COORD_ARCHIVE_DAMAGED',
      },
    )
  })
})
