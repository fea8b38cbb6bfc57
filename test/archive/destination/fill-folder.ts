import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { FolderDestination } from '../../../src/archive/destination/folder-destination.ts'
import { CoordinatorError } from '../../../src/errors.ts'

/** Fills a file system of 1 MiB, and prints what a destination there says and leaves. */
const [, , folder = ''] = process.argv
const destination = new FolderDestination({ path: folder })
await destination.write('l/first', new Uint8Array(600_000))
const fault = await destination.write('l/second', new Uint8Array(600_001)).then(
  () => undefined,
  (error: unknown) => error,
)
const left = await readdir(join(folder, 'l'))
await destination.remove('l/first')
await destination.write('l/second', new Uint8Array(600_001))
const { code, sourceCode } = fault instanceof CoordinatorError ? fault : {}
process.stdout.write(JSON.stringify({ code, sourceCode, left, afterwards: await readdir(join(folder, 'l')) }))
