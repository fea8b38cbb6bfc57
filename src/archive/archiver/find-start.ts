import type { Store } from '../../database/store.ts'
import type { Destination } from '../destination/destination.ts'
import type { ArchivedLineage } from '../format/archive-format.ts'
import {
  type ArchivedBase,
  type ArchivedLog,
  byRevisions,
  chainEnd,
  type Mark,
  markOf,
  newestBase,
  readTrail,
  type Trail,
} from '../inventory/trail.ts'

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
 * A new lineage has no base yet. Its logs begin where its history leaves what the archive has of its ancestors, or where the logs of those
 * end, if their newest base was written before the logs in between.
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
  const bases: ArchivedBase[] = []
  const logs: ArchivedLog[] = [...trail.logs]
  for (const ancestor of ancestors.toReversed()) {
    const of = await readTrail(destination, ancestor, signal)
    bases.push(...of.bases.filter(({ isComplete }) => isComplete))
    // There can be more of them than a call may have arguments.
    for (const log of of.logs) logs.push(log)
  }
  const common = await newestCommon(store, lineage, [...bases, ...logs.map(markOf)])
  if (common === undefined) return { trail, marks: [] }
  const end = endBefore({ bases, logs }, common)
  // The files of an ancestor may also go on where this history has left it.
  const isOurs = end !== undefined && (await newestCommon(store, lineage, [end])) !== undefined
  return { trail, marks: isOurs ? [end, common] : [common] }
}

/** Where the logs end that begin before a mark and do not reach it; `undefined` if they do, or if there are none. */
function endBefore({ bases, logs }: Pick<Trail, 'bases' | 'logs'>, { revision }: Mark): Mark | undefined {
  const before = bases
    .toSorted((left, right) => left.revision - right.revision)
    .findLast((base) => base.revision < revision)
  if (before === undefined) return undefined
  const earlier = logs.filter(({ last }) => last <= revision).sort(byRevisions)
  const end = chainEnd(earlier, before)
  return end.revision < revision ? end : undefined
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
