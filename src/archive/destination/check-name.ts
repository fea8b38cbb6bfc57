import { damaged } from '../format/damaged.ts'

const segment = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/

/** Whether a name can be one of a file below the prefix: no part of it is hidden, empty, or leads out of the folder. */
export function isFileName(name: string): boolean {
  return name.length <= 512 && name.split('/').every((part) => segment.test(part))
}

/** @throws COORD_ARCHIVE_DAMAGED if a name could lead to another place */
export function checkName(name: string): void {
  if (!isFileName(name)) throw damaged(name, 'It is no name of a file of an archive.')
}
