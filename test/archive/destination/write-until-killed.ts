import { randomBytes } from 'node:crypto'
import { FolderDestination } from '../../../src/archive/destination/folder-destination.ts'
import { sha256 } from '../../support/archive-samples.ts'

/** Writes files named by their SHA-256 into a folder, and prints each name when it is durable, until somebody kills the process. */
const destination = new FolderDestination({ path: process.argv[2] ?? '' })
for (;;) {
  const content = randomBytes(500_000)
  const name = `l/log/${sha256(content)}`
  await destination.write(name, content)
  process.stdout.write(`${name}\n`)
}
