import type { CanonicalJson } from '../../records/canonical-json.ts'
import type { RecordKey, Revision } from '../../records/record.ts'
import type { Connection } from './connection.ts'

/** How many writes one transaction releases. Commits can run in between. */
const WRITES_AT_ONCE = 1_000

interface RetiringWrite extends RecordKey {
  readonly data: CanonicalJson | null
  readonly previous: Revision
}

/** Raises the floor before anything is removed, so that a reader of what is being removed gets the right error. */
export function raiseFloor(connection: Connection, floor: Revision): void {
  connection.transaction(() => {
    const head = connection.readHead()
    const target = Math.min(floor, head.revision)
    if (target > head.floor) connection.statements.writeFloor.run(target)
  })
}

/**
 * Removes a part of what the floor no longer needs. It continues where an earlier call, or an earlier process, stopped.
 *
 * @returns whether there is more to remove
 */
export function sweep(connection: Connection): boolean {
  const { swept, floor } = connection.readHead()
  if (swept >= floor) return false
  return connection.transaction(() => {
    let revision = swept
    for (let writes = 0; revision < floor && writes < WRITES_AT_ONCE; ) {
      revision += 1
      writes += retire(connection, revision, floor)
      // The row of the floor is kept: callers may have its digest as their position.
      remove(connection, revision - 1, floor)
    }
    connection.statements.writeSwept.run(revision)
    return revision < floor
  })
}

/** The versions that the writes of a revision replaced are no longer needed, nor are its deletions. */
function retire(connection: Connection, revision: Revision, floor: Revision): number {
  const { statements } = connection
  const writes = statements.readWrites.all(revision) as unknown as RetiringWrite[]
  for (const { kind, id, data, previous } of writes) {
    // Before a record that was recreated there was a deletion, which has released itself.
    if (previous > 0) release(connection, previous, floor)
    if (data !== null) continue
    release(connection, revision, floor)
    statements.removeTombstone.run(kind, id, revision)
  }
  return Math.max(1, writes.length)
}

function release(connection: Connection, revision: Revision, floor: Revision): void {
  connection.statements.releaseEntry.run(revision)
  remove(connection, revision, floor)
}

function remove({ statements }: Connection, revision: Revision, floor: Revision): void {
  if (revision === floor) return
  if (statements.removeEntry.run(revision).changes > 0) statements.removeWrites.run(revision)
}
