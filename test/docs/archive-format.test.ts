import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateIdentity, identityToRecipient } from 'age-encryption'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { NewFile } from '../../src/archive/format/archive-format.ts'
import { parseFileName } from '../../src/archive/format/file-name.ts'
import { writeBase } from '../../src/archive/format/write-base.ts'
import { writeLog } from '../../src/archive/format/write-log.ts'
import { canonicalJson } from '../../src/records/canonical-json.ts'
import { collected, inPages, newLineage, pointAfter, sampleLog } from '../support/archive-samples.ts'
import { itWith } from '../support/it-with.ts'

const page = readFileSync('docs/archive-format.md', 'utf8')
const blocks = Array.from(page.matchAll(/```sh\n([\s\S]*?)```/g), ([, block]) =>
  (block ?? '').trim().split('\n'),
)

describe('docs/archive-format.md', () => {
  it('has the names that files get', () => {
    const values = {
      LINEAGE: newLineage().lineage,
      ...{ DIGEST: 'a'.repeat(64), REVISION: '7'.padStart(16, '0'), TIME: '7'.padStart(16, '0') },
      ...{ FIRST: '3'.padStart(16, '0'), LAST: '9'.padStart(16, '0'), PARTS: '0002', PART: '0001' },
    }
    const names = Array.from(page.matchAll(/^\| `(LINEAGE\/[^`]+)`/gm), ([, name = '']) =>
      name.replaceAll(/[A-Z]+/g, (word) => values[word as keyof typeof values] ?? word),
    )
    expect(names.map((name) => parseFileName(name)?.kind)).toEqual(['base', 'log', 'access'])
    expect(parseFileName(`${names[0]}.age`)).toMatchObject({ encrypted: true, part: 1, parts: 2 })
  })

  itWith(
    'bash',
    'age',
    'zstd',
    'jq',
  )('has commands that read the files', async () => {
    const lineage = newLineage()
    const log = sampleLog(lineage, 3)
    const identity = await generateIdentity()
    const recipients = [await identityToRecipient(identity)]
    const data = canonicalJson({ serviceName: 'cart' })
    const record = { kind: 'service', id: 'cart', data, revision: 1, createdAt: 1, updatedAt: 1 }
    const options = { recordBytes: 0, at: () => 1 }
    const [base] = await collected(writeBase(pointAfter(lineage, log.entries), inPages([record]), options))
    const files: Record<string, NewFile | undefined> = {
      base,
      log: await writeLog(log),
      encrypted: await writeLog(log, { recipients }),
      identity: { name: 'identity', content: Buffer.from(`${identity}\n`) },
    }
    const run = inFolderWith(files)
    const [[names = '', wrote = ''] = [], [decrypted = ''] = [], [computed = '', told = ''] = []] = blocks

    expect(run(names)).toBe('cart\n')
    expect(run(wrote).split('\n')[0]).toBe(
      '{"revision":1,"at":"2026-01-31T12:00:01Z","actor":"http:127.0.0.1","wrote":["service service-1"]}',
    )
    expect(run(decrypted)).toBe('1\n2\n3\n')
    expect(run(computed)).toBe(run(told))
    expect(run(told)).toMatch(/^[0-9a-f]{64}\n$/)
  })
})

/** Runs commands that find each file in the variable of that name. */
function inFolderWith(files: Record<string, NewFile | undefined>): (command: string) => string {
  const folder = mkdtempSync(join(tmpdir(), 'archive-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const paths = Object.keys(files).map((variable) => {
    writeFileSync(join(folder, variable), files[variable]?.content ?? '', { mode: 0o600 })
    return [variable, join(folder, variable)]
  })
  return (command) => {
    const env = { ...process.env, ...Object.fromEntries(paths) }
    const { status, stdout, stderr } = spawnSync('bash', ['-euo', 'pipefail', '-c', command], {
      env,
      encoding: 'utf8',
    })
    if (status !== 0) throw new Error(`${command}: ${stderr}`)
    return stdout
  }
}
