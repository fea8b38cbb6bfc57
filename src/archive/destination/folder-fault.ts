import { CoordinatorError, type ErrorCode } from '../../errors.ts'

const codes: Readonly<Record<string, ErrorCode>> = {
  ENOSPC: 'COORD_ARCHIVE_FULL',
  EDQUOT: 'COORD_ARCHIVE_FULL',
  EFBIG: 'COORD_ARCHIVE_FULL',
  EACCES: 'COORD_ARCHIVE_REFUSED',
  EPERM: 'COORD_ARCHIVE_REFUSED',
  EROFS: 'COORD_ARCHIVE_REFUSED',
  ENOTDIR: 'COORD_ARCHIVE_REFUSED',
  ELOOP: 'COORD_ARCHIVE_REFUSED',
  ENAMETOOLONG: 'COORD_ARCHIVE_REFUSED',
}

const refusedHint =
  'Let the account of the coordinator create and write files in the folder of BACKUP_URL: `id` shows the account, `ls -ld` the rights of the folder.'

/** Translates a fault of the file system, by its code. Its text has the path already. */
export function folderFault(thrown: unknown, shownUrl: string): CoordinatorError {
  if (thrown instanceof CoordinatorError) return thrown
  const { code = 'no code', syscall = 'a call' } = Object(thrown) as NodeJS.ErrnoException
  const fault = codes[code] ?? 'COORD_ARCHIVE_UNREACHABLE'
  return new CoordinatorError(fault, {
    detail: `${shownUrl}: ${syscall} failed (${code}).`,
    sourceCode: code,
    ...(fault === 'COORD_ARCHIVE_REFUSED' ? { hint: refusedHint } : {}),
  })
}

export function folderTooLate(shownUrl: string, timeoutMs: number): CoordinatorError {
  return new CoordinatorError('COORD_ARCHIVE_UNREACHABLE', {
    detail: `${shownUrl}: the file system did not answer within ${timeoutMs} ms.`,
    hint: 'Check that the disk or the network share behind BACKUP_URL answers: `ls` there. The archiver tries again by itself; writes go on meanwhile.',
  })
}

export function isLink(shownUrl: string, folder: string): CoordinatorError {
  return new CoordinatorError('COORD_ARCHIVE_REFUSED', {
    detail: `${shownUrl}: ${folder} is a link, and links are followed nowhere below the folder of the archive.`,
    hint: 'Put a real folder with its files in the place of the link. The folder of BACKUP_URL itself may be a link.',
  })
}
