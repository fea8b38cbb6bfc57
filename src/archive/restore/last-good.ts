import { CoordinatorError } from '../../errors.ts'
import type { Revision } from '../../records/record.ts'

/**
 * The error of a damaged archive, with what can still be restored. An error that says it already, and every other one, stays as it is.
 *
 * @param lastGood the newest revision that was verified; `undefined` if not even the base is good
 */
export function withLastGood(thrown: unknown, lastGood: Revision | undefined): unknown {
  if (!(thrown instanceof CoordinatorError) || thrown.code !== 'COORD_ARCHIVE_DAMAGED') return thrown
  if ('lastGoodRevision' in thrown.extra) return thrown
  const extra = { ...thrown.extra, lastGoodRevision: lastGood ?? null }
  if (lastGood === undefined)
    return thrown.with({
      extra,
      detail: `${thrown.detail} Nothing can be restored from this base.`,
      hint: 'Restore with --without and the name of that file: an older base and the log may lead to the same revision.',
    })
  return thrown.with({
    extra,
    detail: `${thrown.detail} The last good revision is ${lastGood}.`,
    hint: `Restore with --revision ${lastGood}; or with --without and the name of that file, which takes another way where the archive has one. \`coordinator backup verify\` says what can be restored.`,
  })
}
