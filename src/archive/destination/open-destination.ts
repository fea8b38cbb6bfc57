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
  if (url.startsWith('file:')) return new FolderDestination({ path: folderOf(url) })
  if (url.startsWith('s3:')) return new S3Destination(readS3Settings(url, env))
  throw invalid('is neither file: nor s3:')
}

function folderOf(url: string): string {
  if (!url.startsWith('file://')) return resolve(decodeURI(url.slice('file:'.length)))
  try {
    return resolve(fileURLToPath(url))
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
