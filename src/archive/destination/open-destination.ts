import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CoordinatorError } from '../../errors.ts'
import type { Destination } from './destination.ts'
import { FolderDestination } from './folder-destination.ts'
import { S3Destination } from './s3-destination.ts'
import { readS3Settings } from './s3-settings.ts'

export interface DestinationSettings {
  /** `file:///srv/backup`, `file:./backup` or `s3://bucket/prefix`. */
  readonly url: string
  /** The variables of the environment: `AWS_*` for S3. */
  readonly env: Readonly<Record<string, string | undefined>>
}

/**
 * The destination of a URL. Nothing is connected or created yet.
 *
 * @throws COORD_CONFIG_INVALID, without the URL: it may hold a password
 */
export function openDestination({ url, env }: DestinationSettings): Destination {
  if (/^file:/i.test(url)) return new FolderDestination({ path: folderOf(url.slice('file:'.length)) })
  if (/^s3:/i.test(url)) return new S3Destination(readS3Settings(url, env))
  throw invalid('is neither file: nor s3:')
}

/** @param path what follows the scheme: `//` and an absolute path, or a path */
function folderOf(path: string): string {
  if (path === '') throw invalid('names no folder')
  try {
    return resolve(path.startsWith('//') ? fileURLToPath(`file:${path}`) : decodeURI(path))
  } catch {
    throw invalid('names no folder of this machine')
  }
}

function invalid(what: string): CoordinatorError {
  return new CoordinatorError('COORD_CONFIG_INVALID', {
    detail: `BACKUP_URL ${what}.`,
    hint: 'Give a folder, such as file:///srv/backup, or a bucket, such as s3://bucket/prefix; docs/settings.md explains both.',
  })
}
