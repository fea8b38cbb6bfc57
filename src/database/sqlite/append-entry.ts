import type { CanonicalJson } from '../../records/canonical-json.ts'
import type { Commit, Entry, Revision, Write } from '../../records/record.ts'
import type { Connection, HeadRow } from './connection.ts'

/** A row of the table `records`. `data` is null if the record is deleted. For a deletion, it is empty if it exists. */
export interface RecordRow {
  readonly data: CanonicalJson | null
  readonly revision: Revision
  readonly created_at: number
}

/** The rows of the records that these writes name, before the writes. */
export function readRecordRows(
  { statements }: Connection,
  writes: readonly Pick<Write, 'op' | 'kind' | 'id'>[],
): readonly (RecordRow | undefined)[] {
  const { readRecord, readRecordToDelete } = statements
  return writes.map(({ op, kind, id }) => {
    const statement = op === 'delete' ? readRecordToDelete : readRecord
    return statement.get(kind, id) as RecordRow | undefined
  })
}

/** Appends entries to the journal and applies them to the records, in the transaction of the caller. */
export class EntryAppender {
  readonly #connection: Connection
  readonly #head: HeadRow
  #newest: Pick<HeadRow, 'revision' | 'digest' | 'at'>

  constructor(connection: Connection, head: HeadRow) {
    this.#connection = connection
    this.#head = head
    this.#newest = head
  }

  /** The revision of the newest entry. */
  get revision(): Revision {
    return this.#newest.revision
  }

  get digest(): string {
    return this.#newest.digest
  }

  /**
   * Stores a commit as the next entry.
   *
   * @param rows those of its writes: see `readRecordRows`
   * @returns whether it was stored; otherwise its id is known. The unique index finds out, so that new ids need no lookup
   */
  append(
    { commitId, actor, fingerprint, writes }: Commit,
    { revision, at, digest }: Pick<Entry, 'revision' | 'at' | 'digest'>,
    rows: readonly (RecordRow | undefined)[],
  ): boolean {
    const { insertEntry, insertWrite, writeRecord } = this.#connection.statements
    const print = fingerprint ?? null
    if (insertEntry.run(revision, commitId, at, actor, print, digest, writes.length).changes === 0)
      return false
    for (let index = 0; index < writes.length; index += 1) {
      const write = writes[index] as Write
      const { kind, id } = write
      const row = rows[index]
      const exists = row !== undefined && row.data !== null
      const data = write.op === 'put' ? write.data : null
      const createdAt = exists ? row.created_at : at
      const previous = exists ? row.revision : 0
      insertWrite.run(revision, kind, id, index, data, previous, this.#priorOf(row), createdAt)
      writeRecord.run(kind, id, data, revision, createdAt, at)
    }
    this.#newest = { revision, digest, at }
    return true
  }

  /** Writes the new head, if an entry was stored. */
  finish(): HeadRow {
    const { revision, digest, at } = this.#newest
    if (revision > this.#head.revision) this.#connection.statements.writeHead.run(revision, digest, at)
    return { ...this.#head, revision, digest, at }
  }

  /** A deletion that the floor has passed counts as forgotten, even before compaction removes it. */
  #priorOf(row: RecordRow | undefined): Revision {
    if (row === undefined) return 0
    return row.data === null && row.revision <= this.#head.floor ? 0 : row.revision
  }
}
