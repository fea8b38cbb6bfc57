import type { Destination } from '../../../src/archive/destination/destination.ts'
import { readAccess } from '../../../src/archive/format/access-file.ts'
import type { AccessPage } from '../../../src/archive/format/archive-format.ts'
import { parseFileName } from '../../../src/archive/format/file-name.ts'
import { readBasePart } from '../../../src/archive/format/read-base.ts'
import { readLog } from '../../../src/archive/format/read-log.ts'
import type { Entry, StoredRecord } from '../../../src/records/record.ts'
import { compareCodePoints } from '../../../src/text/code-point-order.ts'

/** Everything that an archive has of one lineage, read with the format alone. */
export interface ReadArchive {
  readonly bases: readonly { readonly revision: number; readonly records: readonly StoredRecord[] }[]
  /** Every entry in some log, by its revision. */
  readonly entries: ReadonlyMap<number, Entry>
  readonly logFiles: readonly string[]
  readonly access: readonly AccessPage[]
}

export async function readArchive(destination: Destination, lineage: string): Promise<ReadArchive> {
  const bases = new Map<number, StoredRecord[]>()
  const found = new Map<number, number>()
  const entries = new Map<number, Entry>()
  const logFiles: string[] = []
  const access: AccessPage[] = []
  for (const { name } of await Array.fromAsync(destination.list(`${lineage}/`))) {
    const file = { name, content: await destination.read(name) }
    const parsed = parseFileName(name)
    if (parsed?.kind === 'access') access.push(await readAccess(file))
    else if (parsed?.kind === 'log') {
      logFiles.push(name)
      for (const entry of (await readLog(file)).entries) entries.set(entry.revision, entry)
    } else if (parsed?.kind === 'base') {
      const records = bases.get(parsed.revision) ?? []
      for await (const page of readBasePart(file)) records.push(...page.records)
      bases.set(parsed.revision, records)
      found.set(parsed.revision, (found.get(parsed.revision) ?? 0) + 1)
      if (found.get(parsed.revision) !== parsed.parts) continue
    } else throw new Error(`${name} is no file of an archive.`)
  }
  return {
    bases: Array.from(bases, ([revision, records]) => ({ revision, records })),
    ...{ entries, logFiles, access },
  }
}

/** The records at a revision, from the newest base below it and the entries after that. Fails where an entry is missing. */
export function recordsAt(archive: ReadArchive, revision: number): StoredRecord[] {
  const base = archive.bases.findLast((candidate) => candidate.revision <= revision)
  if (base === undefined) throw new Error(`No base is at or below revision ${revision}.`)
  const records = new Map(base.records.map((record) => [`${record.kind}\0${record.id}`, record]))
  for (let at = base.revision + 1; at <= revision; at += 1) {
    const entry = archive.entries.get(at)
    if (entry === undefined) throw new Error(`Revision ${at} is not in the archive.`)
    for (const write of entry.writes) {
      const key = `${write.kind}\0${write.id}`
      if (write.op === 'delete') records.delete(key)
      else {
        const { kind, id, data } = write
        const createdAt = records.get(key)?.createdAt ?? entry.at
        records.set(key, { kind, id, data, revision: at, createdAt, updatedAt: entry.at })
      }
    }
  }
  return [...records.values()].sort(
    (left, right) => compareCodePoints(left.kind, right.kind) || compareCodePoints(left.id, right.id),
  )
}
