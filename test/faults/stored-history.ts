import { expect } from 'vitest'
import { canonicalJson, type JsonObject } from '../../src/records/canonical-json.ts'
import { nextDigest } from '../../src/records/digest.ts'
import type { PostgresServer } from '../support/postgres.ts'
import type { CoordinatorClient } from './coordinator-client.ts'
import type { AcknowledgedWrite } from './write-load.ts'

export interface JournalRow {
  readonly revision: number
  readonly commitId: string
  readonly actor: string
  readonly digest: string
  readonly writes: readonly {
    readonly op: 'put' | 'delete'
    readonly kind: string
    readonly id: string
    readonly data?: JsonObject
  }[]
}

export interface RecordRow {
  readonly kind: string
  readonly id: string
  readonly revision: number
  readonly createdAt: string
  readonly updatedAt: string
  readonly data: JsonObject
}

/** What a database holds, as SQL shows it: read past the coordinator and its functions. */
export interface StoredHistory {
  readonly lineage: string
  readonly journal: readonly JournalRow[]
  readonly records: readonly RecordRow[]
}

/**
 * Reads the whole history of a schema, and checks what must hold of every one: revisions without a gap, each commit id once,
 * digests that chain, and records that are what the journal makes of them.
 */
export async function readHistory(
  server: Pick<PostgresServer, 'query'>,
  schema = 'coordinator',
): Promise<StoredHistory> {
  const [head] = await server.query<HeadRow>(
    `select lineage::text, revision::float8, digest, first_digest as "firstDigest" from ${schema}.head`,
  )
  if (head === undefined) throw new Error(`The schema ${schema} has no head.`)
  const journal = await server.query<JournalRow>(
    `select revision::float8, commit_id::text as "commitId", actor, digest, writes from ${schema}.journal order by revision`,
  )
  const records = await server.query<RecordRow>(
    `select kind, id, revision::float8, data, to_char(to_timestamp(created_at / 1000.0) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "createdAt",
       to_char(to_timestamp(updated_at / 1000.0) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "updatedAt"
     from ${schema}.records order by kind, id`,
  )
  checkChain(head, journal)
  expect(replay(journal)).toEqual(new Map(records.map((record) => [keyOf(record), contentOf(record)])))
  return { lineage: head.lineage, journal, records }
}

interface HeadRow {
  readonly lineage: string
  readonly revision: number
  readonly digest: string
  /** That of revision 0: the lineage which the history began with. */
  readonly firstDigest: string
}

function checkChain(head: HeadRow, journal: readonly JournalRow[]): void {
  expect(journal.map(({ revision }) => revision)).toEqual(Array.from(journal, (_, index) => index + 1))
  expect(head.revision).toBe(journal.length)
  expect(new Set(journal.map(({ commitId }) => commitId)).size).toBe(journal.length)
  let digest = head.firstDigest
  for (const row of journal) {
    if (row.digest !== nextDigest(digest, row.commitId))
      throw new Error(`The digest of revision ${row.revision} does not follow from the one before.`)
    digest = row.digest
  }
  expect(head.digest).toBe(digest)
}

function replay(journal: readonly JournalRow[]): Map<string, string> {
  const content = new Map<string, string>()
  for (const { revision, writes } of journal)
    for (const write of writes) {
      if (write.op === 'delete') content.delete(keyOf(write))
      else content.set(keyOf(write), contentOf({ revision, data: write.data as JsonObject }))
    }
  return content
}

function keyOf({ kind, id }: { readonly kind: string; readonly id: string }): string {
  return `${kind} ${id}`
}

function contentOf({ revision, data }: { readonly revision: number; readonly data: JsonObject }): string {
  return `${revision} ${canonicalJson(data)}`
}

/** What clients were told, and what they wanted. */
export interface Told {
  readonly acknowledged: readonly AcknowledgedWrite[]
  readonly ruledOut: ReadonlySet<string>
  readonly services: readonly (readonly {
    readonly serviceId: string
    readonly present: boolean
    readonly sent: number
  }[])[]
}

/** Compares what is stored with what clients were told: nothing lost, nothing doubled, nothing that was said not to be. */
export function checkAcknowledged({ journal, records }: StoredHistory, load: Told): void {
  const wrong: unknown[] = []
  for (const told of load.acknowledged) {
    const row = journal[told.revision - 1]
    const [write, ...more] = row?.writes ?? []
    const found =
      row?.commitId === told.commitId &&
      more.length === 0 &&
      write?.op === told.wish &&
      write.id === told.serviceId &&
      (told.wish === 'delete' || stepOf(write.data) === told.step)
    if (!found) wrong.push({ told, row })
  }
  expect(wrong, 'acknowledged writes that are lost').toEqual([])
  // Each row belongs to one acknowledgement, so one more than there are acknowledgements would be a write done twice.
  expect(new Set(load.acknowledged.map(({ revision }) => revision)).size).toBe(load.acknowledged.length)
  expect(journal.length, 'writes that were done twice').toBe(load.acknowledged.length)
  const denied = journal.filter(({ commitId }) => load.ruledOut.has(commitId))
  expect(denied, 'writes that were said not to be written').toEqual([])
  const stored = new Map(records.map(({ id, data }) => [id, stepOf(data)]))
  const expected = load.services
    .flat()
    .filter(({ present }) => present)
    .map(({ serviceId, sent }): [string, unknown] => [serviceId, sent])
  expect(stored).toEqual(new Map(expected))
}

function stepOf(data: JsonObject | undefined): unknown {
  return (data?.['metadata'] as JsonObject | undefined)?.['step']
}

/**
 * Compares the view of a coordinator with what is stored, byte by byte. Answers its snapshot in an order that does not depend
 * on when a coordinator learned of a record, which theirs may.
 */
export async function checkView(
  client: CoordinatorClient,
  { lineage, journal, records }: StoredHistory,
): Promise<string> {
  const { text } = await client.get(`/snapshot?minRevision=${journal.length}`)
  const [first, ...lines] = text.trimEnd().split('\n')
  const { position } = JSON.parse(first as string)
  expect(position).toEqual({ lineage, revision: journal.length, digest: journal.at(-1)?.digest })
  lines.sort()
  expect(lines).toEqual(records.map(lineOf).sort())
  return [first, ...lines].join('\n')
}

function lineOf({ kind, id, revision, createdAt, updatedAt, data }: RecordRow): string {
  const text = JSON.stringify({ kind, id, revision, createdAt, updatedAt })
  return `${text.slice(0, -1)},"data":${canonicalJson(data)}}`
}
