import type { Head, StoreMode } from '../../database/store.ts'
import { CoordinatorError } from '../../errors.ts'
import type { Position } from '../../records/record.ts'
import { withPatience } from '../restore/with-patience.ts'
import { areRelated } from './copy-target.ts'
import type { MoveContext } from './move-context.ts'

export interface AbortReport {
  /** Whether the source was frozen. Otherwise there was nothing to undo. */
  readonly opened: boolean
  /** The position of the source, which takes writes. */
  readonly position: Position
  /** Whether the source has begun a new lineage, because the target could not be asked whether it takes writes. */
  readonly forked: boolean
}

/**
 * Lets the source of a cutover take writes again, if the target does not take them. The target goes back to mode `seeding`, so that a
 * cutover that still runs somewhere cannot open it; the next `copyStore` begins anew.
 *
 * If the target cannot be reached, nobody knows whether it takes writes. The source then begins a new lineage before it takes any, so that
 * no client mistakes one history for the other.
 *
 * @param forkIfLost `false`: if the target cannot be reached, nothing is changed, and that is thrown. @default true
 * @throws COORD_STORE_MODE if the target took the place of the source; what the stores throw
 */
export async function abortCutover(context: MoveContext, { forkIfLost = true } = {}): Promise<AbortReport> {
  const { from, patience } = context
  const source = await withPatience(patience, () => from.head())
  if (source.mode === 'open') return { opened: false, position: source.position, forked: false }
  if (source.mode !== 'frozen') throw notFrozen(source.mode)
  const isLost = !(await isFenced(context, { source, forkIfLost }))
  if (isLost) await fork(context, source)
  const { position } = await withPatience(patience, () => from.setMode('frozen', 'open'))
  return { opened: true, position, forked: isLost }
}

/** @returns `false` if the target cannot be reached */
async function isFenced(
  { to, patience }: MoveContext,
  { source, forkIfLost }: { readonly source: Head; readonly forkIfLost: boolean },
): Promise<boolean> {
  try {
    const target = await withPatience(patience, () => to.open())
    if (target.mode === 'open' || target.mode === 'frozen') throw tookOver(source, target)
    if (!areRelated(source, target)) throw unrelated(target)
    // Only then is it certain that no call on its way opens the target.
    if (target.mode === 'copy') await withPatience(patience, () => to.setMode('copy', 'seeding'))
    return true
  } catch (thrown) {
    if (forkIfLost && thrown instanceof CoordinatorError && thrown.retryable) return false
    throw thrown
  }
}

async function fork({ from, patience }: MoveContext, { position }: Head): Promise<void> {
  // If the call is repeated, the head is another one, and nothing changes.
  await withPatience(patience, () => from.fork(position))
}

function notFrozen(mode: StoreMode): CoordinatorError {
  return new CoordinatorError('COORD_STORE_MODE', {
    detail: `The database of --from is in mode ${mode}, and not frozen: there is no cutover to undo.`,
    hint: 'Check that --from names the old database, and --to the new one. `coordinator status` shows the mode of each.',
  })
}

function tookOver(source: Head, target: Head): CoordinatorError {
  if (!areRelated(source, target)) return unrelated(target)
  return new CoordinatorError('COORD_STORE_MODE', {
    detail:
      target.mode === 'open'
        ? 'The database of --to takes writes already: the cutover is done, and cannot be undone.'
        : 'The database of --to is frozen itself: another one took its place.',
    hint: 'To go back, run `coordinator cutover` with --from and --to exchanged: nothing that was written since is lost.',
  })
}

function unrelated({ position: { lineage, revision } }: Head): CoordinatorError {
  return new CoordinatorError('COORD_STORE_MODE', {
    detail: `The database of --to has the history ${lineage} at revision ${revision}, which is no copy of that of --from.`,
    hint: 'Give the database of the cutover as --to.',
  })
}
