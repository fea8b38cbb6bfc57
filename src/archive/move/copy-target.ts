import { descendsFrom } from '../../database/ancestors.ts'
import type { Head, SeedPoint, StoreMode } from '../../database/store.ts'
import { CoordinatorError } from '../../errors.ts'
import { withPatience } from '../restore/with-patience.ts'
import type { MoveContext } from './move-context.ts'

/** How a copy goes on: from a moment of the past, with everything, or after the newest entry that the target has. */
export type Beginning = 'seed' | 'replay'

/** Whether one of two histories continues the other one. */
export function areRelated(one: Head, other: Head): boolean {
  return descendsFrom(one, other.position.lineage) || descendsFrom(other, one.position.lineage)
}

/**
 * Says how the target becomes a copy of the source. Changes nothing.
 *
 * @throws COORD_STORE_NOT_EMPTY if the target holds another history, COORD_STORE_MODE if one of both is in no mode for it
 */
export async function beginningOf(
  context: MoveContext,
): Promise<{ readonly how: Beginning; readonly target: Head }> {
  const { from, to, patience } = context
  const source = await withPatience(patience, () => from.head())
  const target = await withPatience(patience, () => to.head())
  if (source.mode === 'copy' || source.mode === 'seeding') throw sourceIsCopy(source)
  switch (target.mode) {
    case 'open':
      if (target.position.revision > 0) throw takesWrites(source, target)
      return { how: 'seed', target }
    case 'seeding':
      return { how: 'seed', target }
    case 'frozen':
      // The source took its place before. Now it comes back.
      if (source.mode !== 'open' || !areRelated(source, target)) throw otherHistory(target)
      break
    case 'copy':
      if (!areRelated(source, target)) throw otherHistory(target)
  }
  const { status } = await withPatience(patience, () => from.changes(target.position, 1))
  return { how: status === 'ok' ? 'replay' : 'seed', target }
}

/**
 * Brings the target into the mode in which it can be copied into: `seeding` or `copy`.
 *
 * @param again whether everything is copied, whatever the target has. @default false
 * @throws what `beginningOf` throws
 */
export async function prepareTarget(context: MoveContext, { again = false } = {}): Promise<Beginning> {
  const { how, target } = await beginningOf(context)
  const wanted = again ? 'seed' : how
  const { to, patience } = context
  const setMode = (mode: StoreMode, next: StoreMode) => withPatience(patience, () => to.setMode(mode, next))
  // A frozen store becomes a copy first.
  if (target.mode === 'frozen') await setMode('frozen', 'copy')
  if (wanted === 'seed' && target.mode !== 'seeding')
    await setMode(target.mode === 'open' ? 'open' : 'copy', 'seeding')
  // A seed at the same moment would leave the records that are there.
  if (again) await withPatience(patience, () => to.seed(nothingOf(target), []))
  return wanted
}

/** The moment before the first entry of a history. */
function nothingOf({ position: { lineage }, at, ancestors }: Head): SeedPoint {
  return { position: { lineage, revision: 0, digest: lineage }, at, ancestors }
}

function sourceIsCopy({ mode }: Head): CoordinatorError {
  return new CoordinatorError('COORD_STORE_MODE', {
    detail: `The database of --from is in mode ${mode}: it follows another one itself.`,
    hint: 'Give the database that takes the writes as --from. `coordinator status` shows the mode of each.',
  })
}

function takesWrites(source: Head, target: Head): CoordinatorError {
  if (!areRelated(source, target)) return otherHistory(target)
  return new CoordinatorError('COORD_STORE_MODE', {
    detail:
      'The database of --to takes writes already: it has the history of the one of --from, and took its place.',
    hint: 'To go back, run `coordinator cutover` with --from and --to exchanged.',
  })
}

function otherHistory({ position: { lineage, revision } }: Head): CoordinatorError {
  return new CoordinatorError('COORD_STORE_NOT_EMPTY', {
    detail: `The database of --to has a history of its own: ${lineage} at revision ${revision}.`,
  })
}
