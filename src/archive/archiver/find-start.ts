import type { Store } from '../../database/store.ts'
import type { Destination } from '../destination/destination.ts'
import type { ArchivedLineage } from '../format/archive-format.ts'
import { chainEnd, type Mark, markOf, newestBase, readTrail, type Trail } from '../inventory/trail.ts'

/** Where the archiver goes on in a lineage. */
export interface Start {
  readonly trail: Trail
  /** The marks to go on from, the best one first. The next one counts where the journal no longer reaches back to the one before. */
  readonly marks: readonly Mark[]
}

/**
 * Finds where an archive ends. It may end below its newest base, because bases and logs are written independently of each other: the logs
 * in between are written now, as long as the journal has them.
 *
 * A new lineage has no base yet. Its logs begin where its history leaves what the archive has of its ancestors.
 */
export async function findStart(
  { store, destination }: { readonly store: Pick<Store, 'changes'>; readonly destination: Destination },
  { lineage, ancestors }: ArchivedLineage,
  signal?: AbortSignal,
): Promise<Start> {
  const trail = await readTrail(destination, lineage, signal)
  const newest = newestBase(trail)
  if (newest !== undefined) {
    const before = trail.bases.findLast(
      ({ isComplete, revision }) => isComplete && revision < newest.revision,
    )
    const ends = [...(before === undefined ? [] : [before]), newest].map((base) => chainEnd(trail.logs, base))
    return { trail, marks: ends }
  }
  const known: Mark[] = trail.logs.map(markOf)
  for (const ancestor of ancestors.toReversed()) {
    const { bases, logs } = await readTrail(destination, ancestor, signal)
    known.push(...bases.filter(({ isComplete }) => isComplete), ...logs.map(markOf))
  }
  const common = await newestCommon(store, lineage, known)
  return { trail, marks: common === undefined ? [] : [common] }
}

/**
 * The newest mark that belongs to a history. If a history has one mark, it has all earlier ones, so half of the rest is enough each time.
 */
async function newestCommon(
  store: Pick<Store, 'changes'>,
  lineage: string,
  marks: readonly Mark[],
): Promise<Mark | undefined> {
  const sorted = marks.toSorted((left, right) => left.revision - right.revision)
  let common: Mark | undefined
  for (let [low, high] = [0, sorted.length]; low < high; ) {
    const middle = (low + high) >> 1
    const { revision, digest } = sorted[middle] as Mark
    const { status } = await store.changes({ lineage, revision, digest }, 1, 'client')
    if (status === 'ok') common = { revision, digest }
    if (status === 'ok' || status === 'compacted') low = middle + 1
    else high = middle
  }
  return common
}
