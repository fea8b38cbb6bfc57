import type { Revision } from '../../records/record.ts'
import type { ArchivedLineage } from '../format/archive-format.ts'
import type { ArchiveFiles } from './archive-files.ts'
import type { Inventory, LineageInventory } from './inventory.ts'
import { type ArchivedBase, type ArchivedLog, byRevisions, chainOf, type Mark, type Trail } from './trail.ts'

/** A log of a history or of one of its ancestors. */
export interface LineLog extends ArchivedLog {
  /** The last of its revisions that belongs to the history. */
  readonly last: Revision
  /** Whether it has more revisions, which belong only to the ancestor. */
  readonly isCut: boolean
}

/**
 * All files that serve to restore a history, including those of its ancestors. The digest of a revision depends on all commits before it.
 * So two lineages with the same digest at one revision have the same history up to there.
 */
export interface HistoryLine extends ArchivedLineage {
  /** Complete ones, in order of their revisions. */
  readonly bases: readonly ArchivedBase[]
  /** In order of their first revisions, then of their last ones. */
  readonly logs: readonly LineLog[]
  /** The lineages whose files it has, and up to which revision: its own, and then its ancestors, the newest first. */
  readonly segments: readonly { readonly lineage: string; readonly until: Revision }[]
}

/** A part of a history that can be restored whole: a base, and logs without a gap. */
export interface Range {
  readonly base: ArchivedBase
  readonly logs: readonly LineLog[]
  readonly from: Revision
  readonly to: Revision
}

/** @param excluded names of files that must not be used */
export async function historyLine(
  { lineages, files }: Inventory,
  own: LineageInventory,
  excluded: ReadonlySet<string> = new Set(),
): Promise<HistoryLine> {
  const segments = [segment(own.trail, Number.POSITIVE_INFINITY, excluded)]
  for (const ancestor of own.ancestors.toReversed()) {
    const found = lineages.find(({ lineage }) => lineage === ancestor)
    const start = await startOf(segments, files)
    if (found === undefined || start === undefined) continue
    if ((await digestIn(found.trail, start.revision, files)) !== start.digest) continue
    segments.push(segment(found.trail, start.revision, excluded))
  }
  return {
    ...{ lineage: own.lineage, ancestors: own.ancestors, segments },
    bases: segments.flatMap(({ bases }) => bases).sort((left, right) => left.revision - right.revision),
    logs: segments.flatMap(({ logs }) => logs).sort(byRevisions),
  }
}

/** The parts that can be restored, in order, with gaps between them. */
export function rangesOf({ bases, logs }: Pick<HistoryLine, 'bases' | 'logs'>): Range[] {
  const ranges: Range[] = []
  for (const base of bases) {
    const before = ranges.at(-1)
    if (before !== undefined && base.revision <= before.to) continue
    const chain = chainOf(logs, base)
    ranges.push({ base, logs: chain, from: base.revision, to: chain.at(-1)?.last ?? base.revision })
  }
  return ranges
}

/** The newest revision that a file has, also if a gap before it keeps it from being restored; 0 if there is none. */
export function lastRevisionOf({ bases, logs }: Pick<HistoryLine, 'bases' | 'logs'>): Revision {
  return logs.reduce((newest, { last }) => Math.max(newest, last), bases.at(-1)?.revision ?? 0)
}

interface Segment {
  readonly lineage: string
  readonly until: Revision
  readonly bases: readonly ArchivedBase[]
  readonly logs: readonly LineLog[]
}

/** The files of a lineage up to a revision. */
function segment({ lineage, bases, logs }: Trail, until: Revision, excluded: ReadonlySet<string>): Segment {
  return {
    ...{ lineage, until },
    bases: bases.filter(
      ({ isComplete, revision, files }) =>
        isComplete && revision <= until && !files.some(({ name }) => excluded.has(name)),
    ),
    logs: logs
      .filter(({ first, file }) => first <= until && !excluded.has(file.name))
      .map((log) => ({ ...log, last: Math.min(log.last, until), isCut: log.last > until })),
  }
}

/** Where the files of all segments begin; `undefined` if there are none, or the names and readable files do not tell. */
async function startOf(segments: readonly Segment[], files: ArchiveFiles): Promise<Mark | undefined> {
  const base = earliest(
    segments.flatMap(({ bases }) => bases[0] ?? []),
    ({ revision }) => revision,
  )
  const log = earliest(
    segments.flatMap(({ logs }) => logs[0] ?? []),
    ({ first }) => first,
  )
  if (log === undefined || (base !== undefined && base.revision < log.first)) return base
  // A log that cannot be read must not hide what the archive has from before it. The digest of a base stands in its name.
  return (await files.logHeader(log.file))?.after ?? base
}

/** The digest of a revision in a lineage; `undefined` if the archive does not have it. */
async function digestIn(
  { bases, logs }: Trail,
  revision: Revision,
  files: ArchiveFiles,
): Promise<string | undefined> {
  const named = bases.find((base) => base.revision === revision) ?? logs.find(({ last }) => last === revision)
  if (named !== undefined) return named.digest
  const next = logs.find(({ first }) => first === revision + 1)
  const after = next === undefined ? undefined : (await files.logHeader(next.file))?.after
  if (after !== undefined) return after.digest
  for (const { file } of logs.filter(({ first, last }) => first <= revision && revision < last)) {
    const entries = await files.entries(file)
    const entry = entries?.find((each) => each.revision === revision)
    if (entry !== undefined) return entry.digest
  }
  return undefined
}

function earliest<T>(items: readonly T[], revisionOf: (item: T) => Revision): T | undefined {
  return items.toSorted((left, right) => revisionOf(left) - revisionOf(right))[0]
}
