import { randomUUID } from 'node:crypto'
import type { Position, StoredRecord } from '../../records/record.ts'
import { checkSeed } from '../check-replay.ts'
import type { Head, SeedPoint } from '../store.ts'
import { type Connection, type HeadRow, headOf } from './connection.ts'
import { requireTaking } from './modes.ts'

/** How many rows of each table one transaction of `clear` removes: some ten milliseconds, or seconds if each has 1 MiB. */
const ROWS_AT_ONCE = 2_000

/** What a seed replaces. Tokens stay. */
const tables = ['journal', 'writes', 'records', 'seeded', 'unchanged'] as const

/**
 * Puts records of one moment into the tables, in one durable transaction.
 *
 * @returns `undefined` if what an unfinished seed left has to be removed first: see `clear`
 */
export function seedRecords(
  connection: Connection,
  point: SeedPoint,
  records: readonly StoredRecord[],
): Head | undefined {
  checkSeed(point, records)
  return connection.transaction(() => {
    const head = requireTaking(connection.readHead(), 'seeding')
    if (head.clearing === 1) return undefined
    if (beginsAt(head, point.position)) return headOf(insert(connection, head, records))
    if (holdsSomething(connection, head)) {
      connection.replaceHead({ ...emptyHead(head), clearing: 1 })
      return undefined
    }
    // Also an empty store remembers commits that changed nothing.
    connection.database.exec('delete from unchanged')
    return headOf(insert(connection, connection.replaceHead(headAt(head, point)), records))
  })
}

/**
 * Removes a part of what an unfinished seed left.
 *
 * @returns whether there is more to remove
 */
export function clear(connection: Connection): boolean {
  return connection.transaction(() => {
    const head = connection.readHeadRow()
    if (head.clearing === 0) return false
    const removed = tables.map((table) => removeRows(connection, table))
    if (removed.some((rows) => rows > 0)) return true
    connection.replaceHead({ ...head, clearing: 0 })
    return false
  })
}

function removeRows({ database }: Connection, table: (typeof tables)[number]): number {
  const key = { journal: 'revision', writes: 'revision, kind, id', records: 'rowid', seeded: 'kind, id' }
  const columns = table === 'unchanged' ? 'number' : key[table]
  const sql = `delete from ${table} where (${columns}) in (select ${columns} from ${table} limit ?)`
  return Number(database.prepare(sql).run(ROWS_AT_ONCE).changes)
}

/** Whether the history begins at a position, and has no entry yet. */
function beginsAt({ lineage, revision, digest, first_revision }: HeadRow, position: Position): boolean {
  const isHead = lineage === position.lineage && revision === position.revision && digest === position.digest
  return isHead && revision === first_revision
}

function holdsSomething({ statements }: Connection, head: HeadRow): boolean {
  return head.revision !== head.first_revision || statements.anyRecord.get() !== undefined
}

/** A history that nobody knows, so that nobody takes the rest of a seed for his own. */
function emptyHead(head: HeadRow): HeadRow {
  const position = { lineage: randomUUID(), revision: 0 }
  return headAt(head, { position: { ...position, digest: position.lineage }, at: head.at, ancestors: [] })
}

function headAt(head: HeadRow, { position, at, ancestors }: SeedPoint): HeadRow {
  const { lineage, revision, digest } = position
  return {
    ...{ ...head, lineage, ancestors: JSON.stringify(ancestors), revision, digest, at },
    ...{ floor: revision, swept: revision, first_revision: revision, first_digest: digest },
    // Before revision 0 there was nothing.
    seeded_at: revision === 0 ? null : at,
  }
}

function insert({ statements }: Connection, head: HeadRow, records: readonly StoredRecord[]): HeadRow {
  const { insertRecord, newestRow, copySeeded } = statements
  const { row } = newestRow.get() as { readonly row: number }
  for (const { kind, id, data, revision, createdAt, updatedAt } of records)
    insertRecord.run(kind, id, data, revision, createdAt, updatedAt)
  copySeeded.run(row)
  return head
}
