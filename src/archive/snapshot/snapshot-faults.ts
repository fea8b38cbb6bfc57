import { CoordinatorError, toCoordinatorError } from '../../errors.ts'

/** An error of the files, with the hint for snapshots instead of that for backups. */
export function snapshotFault(thrown: unknown): CoordinatorError {
  const error = toCoordinatorError(thrown)
  const { code, detail } = error
  if (!code.startsWith('COORD_ARCHIVE_')) return error
  return new CoordinatorError(code, { detail, hint: hintOf(code), cause: error })
}

export function tooOld(confirmedAt: number): CoordinatorError {
  return new CoordinatorError('COORD_ARCHIVE_EMPTY', {
    detail: `The snapshot is of ${new Date(confirmedAt).toISOString()}: too old.`,
    hint: 'Raise SNAPSHOT_MAX_AGE_HOURS if older records may be served.',
  })
}

function hintOf(code: string): string {
  switch (code) {
    case 'COORD_ARCHIVE_FULL':
      return 'Free some space on the disk of SNAPSHOT_DIR. The next snapshot is tried again by itself.'
    case 'COORD_ARCHIVE_DAMAGED':
      return 'Nothing has to be done: the next snapshot replaces it. If it happens again, check the disk of SNAPSHOT_DIR.'
    default:
      return 'Check that the coordinator may read and write the folder SNAPSHOT_DIR.'
  }
}
