import { CoordinatorError } from '../errors.ts'

/**
 * What a store may be asked for:
 * - `open`: everything.
 * - `seeding`: it is being filled by `seed` and `replay`, and serves nothing, so that half of a restore never looks like a whole one.
 * - `copy`: it follows another store by `replay`. It serves reads, and refuses writes.
 * - `frozen`: it serves reads, and refuses writes; another store takes its place.
 */
export type StoreMode = 'open' | 'seeding' | 'copy' | 'frozen'

/** The modes that may follow each one. The SQL functions contain the same list. */
const next: Readonly<Record<StoreMode, readonly StoreMode[]>> = {
  open: ['frozen', 'seeding', 'copy'],
  seeding: ['copy', 'open'],
  copy: ['seeding', 'open'],
  frozen: ['open', 'copy'],
}

/**
 * Whether `setMode` must change the mode; `false` if it was changed before.
 *
 * @param mode the present one
 * @param isEmpty whether the store never had an entry, and was never seeded
 * @throws COORD_STORE_MODE, COORD_STORE_NOT_EMPTY
 */
export function changeOfMode({
  from,
  to,
  mode,
  isEmpty,
}: {
  readonly from: StoreMode
  readonly to: StoreMode
  readonly mode: StoreMode
  readonly isEmpty: boolean
}): boolean {
  if (!next[from].includes(to)) throw wrongMode(mode, `No store changes from ${from} to ${to}.`)
  if (mode === to) return false
  if (mode !== from) throw wrongMode(mode)
  if (from === 'open' && to !== 'frozen' && !isEmpty) throw notEmpty()
  return true
}

/** The store takes no writes, or in mode `seeding` no reads. */
export function frozen(mode: StoreMode): CoordinatorError {
  return new CoordinatorError('COORD_STORE_FROZEN', {
    detail: `The database is in mode ${mode}.`,
    outcome: 'not_written',
  })
}

/** @default detail names the mode */
export function wrongMode(
  mode: StoreMode,
  detail: string = `The database is in mode ${mode}.`,
): CoordinatorError {
  return new CoordinatorError('COORD_STORE_MODE', { detail, outcome: 'not_written' })
}

export function notEmpty(): CoordinatorError {
  return new CoordinatorError('COORD_STORE_NOT_EMPTY', { outcome: 'not_written' })
}
