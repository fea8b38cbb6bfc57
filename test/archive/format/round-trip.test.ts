import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readAccess, writeAccess } from '../../../src/archive/format/access-file.ts'
import { readBasePart } from '../../../src/archive/format/read-base.ts'
import { readLog } from '../../../src/archive/format/read-log.ts'
import { StateDigest, stateDigestOf } from '../../../src/archive/format/state-digest.ts'
import { recordSize, writeBase } from '../../../src/archive/format/write-base.ts'
import { splitLog, writeLog } from '../../../src/archive/format/write-log.ts'
import { type CanonicalJson, canonicalJson } from '../../../src/records/canonical-json.ts'
import type { StoredRecord } from '../../../src/records/record.ts'
import {
  collected,
  inOrder,
  inPages,
  newLineage,
  pointAfter,
  recordsAfter,
  SAMPLE_START,
  sampleLog,
} from '../../support/archive-samples.ts'

/** Stored texts that a parser and a printer would change. */
const oddTexts = [
  '{"a":-0}',
  '{"a":1e400,"b":0.1000}',
  '{"a":12345678901234567890}',
  '{"b":1,"a":2,"b":3}',
  '{ "spaced" : [ 1 , 2 ] }',
  '{"line":\n1}',
  '{"tail":1}\r',
  '{"half":"\\ud800"}',
  '{"half":"\ud800"}',
  '{"mark":",\\"data\\":"}',
  '{"brackets":"]}","quote":"\\\\\\""}',
  '{"separators":"\u2028\u2029\u0085\ufeff"}',
  '{"__proto__":{"a":1},"2":0,"10":0}',
  '{"not":json}',
  'no json at all',
  '{"face":"\u{1F600}"}',
].map((text) => text as CanonicalJson)

const oddIds = ['plain', '","data":{}', 'line\nbreak', '\u{1F600}', '\uFF5E', 'tab\t"quoted"\\', '\u0001']

async function baseOf(records: readonly StoredRecord[], recordBytes?: number) {
  const lineage = newLineage()
  const point = { ...pointAfter(lineage, []), revision: 1_000_000, digest: 'a'.repeat(64) }
  const bytes = recordBytes ?? records.reduce((sum, record) => sum + recordSize(record), 0)
  const files = await collected(writeBase(point, inPages(records), { recordBytes: bytes, at: () => 7 }))
  return { point, files }
}

async function readAll(files: Awaited<ReturnType<typeof baseOf>>['files']) {
  const pages = []
  for (const file of files) pages.push(...(await collected(readBasePart(file))))
  return { records: pages.flatMap((page) => page.records), end: pages.at(-1)?.end, pages }
}

describe('archive files', () => {
  test('a base gives back every record, byte for byte, and the state digest of what it holds', async () => {
    const records = inOrder(
      oddIds.flatMap((id, index) =>
        oddTexts.map((data, at) => ({
          ...{ kind: 'node', id: `${id}${at}`, data, revision: index + 1 },
          ...{ createdAt: SAMPLE_START, updatedAt: SAMPLE_START + at },
        })),
      ),
    )
    const { point, files } = await baseOf(records)
    const back = await readAll(files)

    expect(back.records).toEqual(records)
    expect(back.end).toEqual({ records: records.length, state: await stateDigestOf(inPages(records)) })
    expect(back.pages[0]?.point).toEqual(point)
  })

  test('a base of many parts has as many as every name says, and gives back every record in order', async () => {
    const data = canonicalJson({ text: 'x'.repeat(9_000) })
    const records = inOrder(
      Array.from({ length: 2_000 }, (_, at) => ({
        ...{ kind: 'node', id: `id-${at}`, data, revision: at + 1, createdAt: 1, updatedAt: 1 },
      })),
    )
    const { files } = await baseOf(records)

    expect(files.map(({ name }) => name.slice(-23))).toEqual([
      '0001-of-0003.ndjson.zst',
      '0002-of-0003.ndjson.zst',
      '0003-of-0003.ndjson.zst',
    ])
    const back = await readAll(files)
    expect(back.records).toEqual(records)
    expect(back.end?.records).toBe(2_000)
  })

  test.each([
    { announced: 0, parts: 1 },
    { announced: 40_000_000, parts: 7 },
  ])(
    'a base with $announced announced bytes is whole, whatever its records take',
    async ({ announced, parts }) => {
      const { entries } = sampleLog(newLineage(), 500)
      const records = recordsAfter(entries)
      const { files } = await baseOf(records, announced)

      expect(files).toHaveLength(parts)
      expect((await readAll(files)).records).toEqual(records)
    },
  )

  test('a base of nothing is one file without records', async () => {
    const { files } = await baseOf([])

    expect(files).toHaveLength(1)
    expect(await readAll(files)).toMatchObject({
      records: [],
      end: { records: 0, state: new StateDigest().finish() },
    })
  })

  test('a log gives back every entry with its fingerprint, byte for byte', async () => {
    const page = sampleLog(newLineage(['00000000-0000-4000-8000-000000000000']), 60)
    const entries = page.entries.map((entry, index) => ({
      ...entry,
      ...(index % 2 === 0 ? { fingerprint: `f"${index}` } : {}),
      actor: `cli:"${oddIds[index % oddIds.length]}`,
      writes: [
        ...entry.writes,
        ...oddTexts.map((data, at) => ({
          op: 'put' as const,
          kind: 'edge',
          id: `${oddIds[at % 7]}${at}`,
          data,
        })),
        { op: 'delete' as const, kind: '","writes":[', id: oddIds[index % oddIds.length] as string },
      ],
    }))
    const file = await writeLog({ ...page, entries })

    expect(await readLog(file)).toEqual({ ...page, entries })
  })

  test('any stored text and any key come back as they were', async () => {
    const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 40 })
    const json = fc.jsonValue().map((value) => JSON.stringify({ value }))
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(text, text, fc.oneof(json, text)), { minLength: 1 }),
        async (rows) => {
          const page = sampleLog(newLineage(), 1)
          const writes = rows.map(([kind, id, data]) => ({
            op: 'put' as const,
            kind,
            id,
            data: data as CanonicalJson,
          }))
          const entries = [{ ...(page.entries[0] as (typeof page.entries)[0]), writes }]
          if (writes.length > 0)
            expect((await readLog(await writeLog({ ...page, entries }))).entries).toEqual(entries)
        },
      ),
    )
  })

  test('the same entries give the same log file', async () => {
    const page = sampleLog(newLineage(), 20)

    expect(await writeLog(page)).toEqual(await writeLog({ ...page }))
  })

  test('a long log is divided into pages that follow each other', async () => {
    const page = sampleLog(newLineage(), 100)
    const pages = [...splitLog(page, 5_000)]

    expect(pages.length).toBeGreaterThan(5)
    expect(pages.flatMap(({ entries }) => entries)).toEqual(page.entries)
    for (const [index, { after }] of pages.entries()) {
      const last = pages[index - 1]?.entries.at(-1)
      expect(after).toMatchObject(
        last === undefined ? page.after : { revision: last.revision, digest: last.digest },
      )
    }
  })

  test('tokens come back with their hashes, and the same tokens have the same digest in the name', async () => {
    const lineage = newLineage()
    const token = { id: 'abcdef012345', name: 'ci', scopes: ['read'], secretHash: '0'.repeat(64) }
    const times = { createdAt: 5, createdBy: 'cli:a', expiresAt: null, revokedAt: 9, revokedBy: 'cli:b' }
    const state = { requiredSince: 3, tokens: [{ ...token, ...times }] }
    const first = await writeAccess(state, lineage, { at: SAMPLE_START })
    const second = await writeAccess(state, lineage, { at: SAMPLE_START + 1 })

    expect(await readAccess(first)).toEqual({ ...lineage, at: SAMPLE_START, state })
    expect(first.name).not.toBe(second.name)
    expect(first.name.split('-').at(-1)).toBe(second.name.split('-').at(-1))
  })
})
