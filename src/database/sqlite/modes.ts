import type { Head, StoreMode } from '../store.ts'
import { changeOfMode, frozen, wrongMode } from '../store-modes.ts'
import { type Connection, type HeadRow, headOf } from './connection.ts'

/**
 * Changes the mode, if it is still `from`.
 *
 * @returns `undefined` if what an unfinished seed left has to be removed first
 */
export function setMode(connection: Connection, from: StoreMode, to: StoreMode): Head | undefined {
  return connection.transaction(() => {
    const head = connection.readHead()
    const { mode, clearing } = head
    if (!changeOfMode({ from, to, mode, isEmpty: isEmpty(connection, head) })) return headOf(head)
    return clearing === 1 ? undefined : headOf(connection.replaceHead({ ...head, mode: to }))
  })
}

/** @throws COORD_STORE_FROZEN if the mode is none of those that allow the call */
export function requireMode(head: HeadRow, ...allowed: readonly StoreMode[]): HeadRow {
  if (!allowed.includes(head.mode)) throw frozen(head.mode)
  return head
}

/** @throws COORD_STORE_FROZEN in mode `seeding`, in which nothing is served */
export function requireServing(head: HeadRow): HeadRow {
  if (head.mode === 'seeding') throw frozen(head.mode)
  return head
}

/** @throws COORD_STORE_MODE if the mode is none of those in which the store takes what another one has */
export function requireTaking(head: HeadRow, ...allowed: readonly StoreMode[]): HeadRow {
  if (!allowed.includes(head.mode)) throw wrongMode(head.mode)
  return head
}

/** Whether the store never had an entry, and was never seeded. */
function isEmpty({ statements }: Connection, head: HeadRow): boolean {
  const { revision, first_revision, seeded_at: seededAt } = head
  return revision === first_revision && seededAt === null && statements.anyRecord.get() === undefined
}
