import type { Revision } from '../../records/record.ts'
import type { ArchivedFile } from '../destination/destination.ts'
import type { Trail } from './trail.ts'

/** Two files of one lineage that end at the same revision with different digests: two databases wrote it. */
export interface Contradiction {
  readonly revision: Revision
  readonly files: readonly [ArchivedFile, ArchivedFile]
}

/** The contradictions that the names of the files show, in order of their revisions. One for each revision. */
export function contradictionsIn({ bases, logs }: Pick<Trail, 'bases' | 'logs'>): Contradiction[] {
  const known = new Map<Revision, { readonly digest: string; readonly file: ArchivedFile }>()
  const found = new Map<Revision, Contradiction>()
  const ends = [
    ...bases.map(({ revision, digest, files: [file] }) => ({ revision, digest, file })),
    ...logs.map(({ last, digest, file }) => ({ revision: last, digest, file })),
  ]
  for (const { revision, digest, file } of ends) {
    const before = known.get(revision)
    if (file === undefined) continue
    if (before === undefined) known.set(revision, { digest, file })
    else if (before.digest !== digest) found.set(revision, { revision, files: [before.file, file] })
  }
  return [...found.values()].sort((left, right) => left.revision - right.revision)
}
