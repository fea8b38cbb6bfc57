import { createHash, randomUUID } from 'node:crypto'
import type { ArchivedLineage, BasePoint, LogPage, NewFile } from '../../src/archive/format/archive-format.ts'
import { canonicalJson } from '../../src/records/canonical-json.ts'
import { nextDigest } from '../../src/records/digest.ts'
import type { Entry, EntryWrite, StoredRecord } from '../../src/records/record.ts'
import { compareCodePoints } from '../../src/text/code-point-order.ts'

/** Time of the first entry of every sample. */
export const SAMPLE_START: number = Date.UTC(2026, 0, 31, 12)

/** A history without ancestors. */
export function newLineage(ancestors: readonly string[] = []): ArchivedLineage {
  return { lineage: randomUUID(), ancestors }
}

/** Entries that follow a position, one second apart. Each registers a service, or removes the one before. */
export function sampleEntries(after: { revision: number; digest: string }, count: number): Entry[] {
  const entries: Entry[] = []
  let { revision, digest } = after
  for (let index = 0; index < count; index += 1) {
    revision += 1
    const commitId = randomUUID()
    digest = nextDigest(digest, commitId)
    const at = SAMPLE_START + revision * 1_000
    entries.push({ revision, commitId, at, actor: 'http:127.0.0.1', writes: [sampleWrite(revision)], digest })
  }
  return entries
}

function sampleWrite(revision: number): EntryWrite {
  const id = `service-${revision - (revision % 5 === 0 ? 1 : 0)}`
  if (revision % 5 === 0) return { op: 'delete', kind: 'service', id }
  return { op: 'put', kind: 'service', id, data: canonicalJson({ name: id, revision, tags: ['a', 'b'] }) }
}

/** A page with entries behind a position; behind the first one by default. */
export function sampleLog(
  { lineage, ancestors }: ArchivedLineage,
  count: number,
  after: { revision: number; digest: string } = { revision: 0, digest: lineage },
): LogPage {
  const position = { lineage, revision: after.revision, digest: after.digest }
  return { lineage, ancestors, after: position, entries: sampleEntries(after, count) }
}

/** The records after some entries, in the order of a base. */
export function recordsAfter(entries: readonly Entry[]): StoredRecord[] {
  const records = new Map<string, StoredRecord>()
  for (const { revision, at, writes } of entries)
    for (const write of writes) {
      const key = `${write.kind}\0${write.id}`
      if (write.op === 'delete') records.delete(key)
      else {
        const { op: _, ...content } = write
        records.set(key, {
          ...content,
          revision,
          createdAt: records.get(key)?.createdAt ?? at,
          updatedAt: at,
        })
      }
    }
  return inOrder([...records.values()])
}

export function inOrder<T extends { readonly kind: string; readonly id: string }>(records: T[]): T[] {
  return records.sort((a, b) => compareCodePoints(a.kind, b.kind) || compareCodePoints(a.id, b.id))
}

/** The point of the newest of some entries; of the beginning if there is none. */
export function pointAfter({ lineage, ancestors }: ArchivedLineage, entries: readonly Entry[]): BasePoint {
  const { revision, digest, at } = entries.at(-1) ?? { revision: 0, digest: lineage, at: SAMPLE_START }
  return { lineage, ancestors, revision, digest, at }
}

/** Records in pages, as a live view gives them. */
export async function* inPages(records: readonly StoredRecord[], size = 100): AsyncGenerator<StoredRecord[]> {
  for (let at = 0; at < records.length; at += size) yield records.slice(at, at + size)
}

export async function collected<T>(items: AsyncIterable<T>): Promise<T[]> {
  return Array.fromAsync(items)
}

/** A file with other content, or another name. */
export function changed(file: NewFile, changes: Partial<NewFile>): NewFile {
  return { ...file, ...changes }
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
