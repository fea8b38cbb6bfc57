import type { ArchivedFile, Destination } from '../destination/destination.ts'
import type { ArchivedLineage } from '../format/archive-format.ts'
import { type ArchivedBase, type ArchivedLog, newestBase, readTrail, type Trail } from '../inventory/trail.ts'

const DAY_MS = 86_400_000
/** No coordinator is silent for so long without a reason, such as a stop, or a clock that leaps. */
const LEAP_MS = 2 * DAY_MS
/** The newest files with tokens that stay, however old they are. */
const ACCESS_KEPT = 3

export interface PruneOptions {
  /** Every moment of this many days can be restored afterwards. */
  readonly keepDays: number
  /** Epoch milliseconds. @default the clock of this machine */
  readonly now?: number
  /** Whether nothing is removed. @default false */
  readonly dryRun?: boolean
  readonly signal?: AbortSignal
}

export interface PruneReport {
  /** What was removed, or would be. */
  readonly removed: readonly ArchivedFile[]
  readonly removedBytes: number
  /** Of the files that stay, in the lineages that were looked at. */
  readonly keptFiles: number
  readonly keptBytes: number
}

/**
 * Removes what only serves moments that are older than the time to keep: in one lineage, and in those that it descends from. Files of every
 * other lineage belong to somebody else. The newest base and what follows it always stay.
 *
 * A file counts as old by the clock of the destination. Only names are read, so it works for encrypted files, too.
 */
export async function pruneArchive(
  destination: Destination,
  { lineage, ancestors }: ArchivedLineage,
  { keepDays, now = Date.now(), dryRun = false, signal }: PruneOptions,
): Promise<PruneReport> {
  const own = await readTrail(destination, lineage, signal)
  const present = presentOf(own, { now, keepDays })
  const times = { present, before: present - keepDays * DAY_MS }
  const removed: ArchivedFile[] = []
  const kept: ArchivedFile[] = []
  const sort = (trail: Trail, goes: ReadonlySet<ArchivedFile>) => {
    for (const file of filesOf(trail)) (goes.has(file) ? removed : kept).push(file)
  }
  sort(own, removable(own, times))
  for (const ancestor of ancestors) {
    const trail = await readTrail(destination, ancestor, signal)
    sort(trail, isOver(own, trail, times.before) ? new Set(filesOf(trail)) : removable(trail, times))
  }
  if (!dryRun) for (const { name } of removed) await destination.remove(name, signal)
  return {
    removed,
    removedBytes: bytesOf(removed),
    keptFiles: kept.length,
    keptBytes: bytesOf(kept),
  }
}

interface Times {
  /** Epoch milliseconds. */
  readonly present: number
  /** Moments before this need not be restored any more. */
  readonly before: number
}

/**
 * The time that files are compared with. A clock of this machine, or of the destination, that is ahead must not make everything look old:
 * it is at most the time of the newest file, and after a longer leap between two files the later times are believed only when they have
 * lasted for a day.
 */
function presentOf(
  own: Trail,
  { now, keepDays }: { readonly now: number; readonly keepDays: number },
): number {
  const times = filesOf(own)
    .map(({ writtenAt }) => writtenAt)
    .filter((at) => at <= now)
    .sort((left, right) => left - right)
  const newest = times.at(-1) ?? now
  const leap = Math.max(LEAP_MS, keepDays * DAY_MS)
  for (let index = times.length - 1; index > 0; index -= 1) {
    const [before, at] = [times[index - 1] as number, times[index] as number]
    if (newest - at >= DAY_MS) break
    if (at - before > leap) return before
  }
  return newest
}

function removable(trail: Trail, { present, before }: Times): ReadonlySet<ArchivedFile> {
  const removed = new Set<ArchivedFile>()
  // The state at the time `before` begins with the newest base of that time, or an older one.
  const kept = newestBase({ bases: trail.bases.filter(({ writtenAt }) => writtenAt <= before) })
  for (const base of trail.bases)
    if (isUseless(base, { kept, present })) for (const file of base.files) removed.add(file)
  if (kept !== undefined)
    for (const { last, file } of trail.logs) if (last <= kept.revision) removed.add(file)
  for (const { file } of rewritten(trail.logs, present - DAY_MS)) removed.add(file)
  for (const { file } of trail.access.slice(0, -ACCESS_KEPT)) if (file.writtenAt <= before) removed.add(file)
  return removed
}

/** An older base, or one that nobody has continued for a day. */
function isUseless(
  { isComplete, revision, writtenAt }: ArchivedBase,
  { kept, present }: { readonly kept: ArchivedBase | undefined; readonly present: number },
): boolean {
  if (!isComplete) return writtenAt <= present - DAY_MS
  return kept !== undefined && revision < kept.revision
}

/** Logs whose entries are also in a larger file, which was written before a time. */
function rewritten(logs: readonly ArchivedLog[], before: number): ArchivedLog[] {
  const covered: ArchivedLog[] = []
  let widest: ArchivedLog | undefined
  // Of those that begin alike, the largest comes first.
  for (const log of logs.toSorted((left, right) => left.first - right.first || right.last - left.last)) {
    const isSame = log.first === widest?.first && log.last === widest.last
    if (widest !== undefined && log.last <= widest.last && !isSame) covered.push(log)
    else if (log.file.writtenAt <= before && log.last > (widest?.last ?? 0)) widest = log
  }
  return covered
}

/** Whether a later lineage had a base of its own already when the time to keep began, and nobody has added to the earlier one since. */
function isOver(own: Trail, earlier: Trail, before: number): boolean {
  const hasBase = own.bases.some(({ isComplete, writtenAt }) => isComplete && writtenAt <= before)
  return hasBase && filesOf(earlier).every(({ writtenAt }) => writtenAt <= before)
}

function filesOf({ bases, logs, access }: Trail): ArchivedFile[] {
  return [...bases.flatMap(({ files }) => files), ...[...logs, ...access].map(({ file }) => file)]
}

function bytesOf(files: readonly ArchivedFile[]): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0)
}
