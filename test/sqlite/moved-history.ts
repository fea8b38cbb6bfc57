import { hash } from 'node:crypto'
import type { SeedPoint } from '../../src/database/store.ts'
import { nextDigest } from '../../src/records/digest.ts'
import type { Entry, Position, StoredRecord } from '../../src/records/record.ts'

/** How many records a part of a seed has, and how many entries one of a replay. */
export const PART = 500
/** How many parts of each there are. */
export const PARTS = 40

type Data = StoredRecord['data']

/** The same UUID for the same text. */
function uuidOf(text: string): string {
  const digits = hash('sha256', text, 'hex')
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-4${digits.slice(13, 16)}-8${digits.slice(17, 20)}-${digits.slice(20, 32)}`
}

const idOf = (index: number) => `r${String(index).padStart(6, '0')}`

/** The point at which the history with this name is seeded. Two names are two histories. */
export function pointOf(name: string): SeedPoint {
  const position = {
    lineage: uuidOf(name),
    revision: PART * PARTS,
    digest: hash('sha256', `${name} seed`, 'hex'),
  }
  return { position, at: 1_000, ancestors: [uuidOf(`${name} before`)] }
}

/** Part of what is seeded. */
export function recordsOf(name: string, part: number): StoredRecord[] {
  return Array.from({ length: PART }, (_, offset) => {
    const index = part * PART + offset
    const data = `{"name":"${name}","text":"${'x'.repeat(200)}"}` as Data
    return { kind: 'service', id: idOf(index), data, revision: 1 + index, createdAt: index, updatedAt: 500 }
  })
}

/** The entries that follow the seed: each changes, removes or makes a record. */
export function entriesOf(name: string): { readonly after: Position; readonly entries: readonly Entry[] }[] {
  const { position } = pointOf(name)
  let { revision, digest } = position
  return Array.from({ length: PARTS }, () => {
    const after = { ...position, revision, digest }
    const entries = Array.from({ length: PART }, (): Entry => {
      revision += 1
      const commitId = uuidOf(`${name} ${revision}`)
      digest = nextDigest(digest, commitId)
      const key = { kind: 'service', id: idOf((revision * 7_919) % (2 * PART * PARTS)) }
      const data = `{"v":${revision}}` as Data
      const write =
        revision % 5 === 0 ? { op: 'delete' as const, ...key } : { op: 'put' as const, ...key, data }
      return { revision, commitId, at: 1_000 + revision, actor: name, writes: [write], digest }
    })
    return { after, entries }
  })
}

/** All records once everything was seeded and replayed. */
export function recordsAtEnd(name: string): StoredRecord[] {
  const records = new Map<string, StoredRecord>()
  for (let part = 0; part < PARTS; part += 1)
    for (const record of recordsOf(name, part)) records.set(record.id, record)
  for (const { entries } of entriesOf(name))
    for (const { revision, at, writes } of entries)
      for (const write of writes) {
        const { kind, id } = write
        const createdAt = records.get(id)?.createdAt ?? at
        if (write.op === 'delete') records.delete(id)
        else records.set(id, { kind, id, data: write.data, revision, createdAt, updatedAt: at })
      }
  return [...records.values()].sort((left, right) => (left.id < right.id ? -1 : 1))
}
