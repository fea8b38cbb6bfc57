import { CoordinatorError } from '../../errors.ts'
import type { Revision } from '../../records/record.ts'
import { accessOf } from './access-of.ts'
import { chooseLineage } from './choose-lineage.ts'
import { findCommit, revisionAt } from './find-revision.ts'
import { type HistoryLine, historyLine, type LineLog, lastRevisionOf, rangesOf } from './history-line.ts'
import type { Inventory, LineageInventory } from './inventory.ts'
import type { PlannedBase, PlannedLog, RestorePlan } from './restore-plan.ts'
import { type ArchivedBase, chainOf } from './trail.ts'

/** The moment to restore. At most one of `revision`, `at` and `beforeCommit`; none of them means the newest one. */
export interface RestoreTarget {
  /** @default the only history that no other one in the archive descends from */
  readonly lineage?: string
  readonly revision?: Revision
  /** Epoch milliseconds: the newest revision at or before it. */
  readonly at?: number
  /** The id of a commit: the revision before it. */
  readonly beforeCommit?: string
}

export interface PlanOptions {
  /** Whether to begin with the oldest base, so that the history before the target is restored, too. @default false */
  readonly history?: boolean
  /** Names of files that must not be used, because they were found damaged. @default none */
  readonly excluded?: ReadonlySet<string>
}

/**
 * Chooses what a restore reads: the newest base at or before the target, and logs without a gap up to it, also from ancestors.
 *
 * @throws COORD_ARCHIVE_EMPTY if that moment cannot be restored, COORD_ARCHIVE_SEVERAL if the history is not clear,
 * COORD_ARCHIVE_CONTRADICTION if two databases wrote it before the target
 */
export async function planRestore(
  inventory: Inventory,
  target: RestoreTarget,
  { history = false, excluded }: PlanOptions = {},
): Promise<RestorePlan> {
  const own = await chooseLineage(inventory, target.lineage)
  const line = await historyLine(inventory, own, excluded)
  const isPartial = excluded !== undefined && excluded.size > 0
  const revision = await revisionOf({ line, isPartial }, target, inventory)
  refuseContradiction(inventory, line, revision)
  const bases = line.bases.filter((base) => base.revision <= revision)
  const candidates = history ? bases : bases.toReversed()
  const base = candidates.find((each) => reach(line, each) >= revision)
  if (base === undefined) throw missing(line, revision)
  return planFrom(inventory, { own, line, base, revision, excluded })
}

/**
 * Chooses what a rehearsal reads: it begins with one base, and ends at the next one. These are the newest two with all logs between them.
 *
 * @returns `undefined` if the archive has no two such bases
 * @throws like `planRestore`
 */
export async function planDrill(inventory: Inventory, lineage?: string): Promise<RestorePlan | undefined> {
  const own = await chooseLineage(inventory, lineage)
  const line = await historyLine(inventory, own)
  for (const [index, { revision }] of [...line.bases.entries()].reverse()) {
    const base = line.bases.slice(0, index).findLast((each) => each.revision < revision)
    // Behind the newest base, logs may still be missing: bases are written independently of them.
    if (base === undefined || reach(line, base) < revision) continue
    refuseContradiction(inventory, line, revision)
    return planFrom(inventory, { own, line, base, revision })
  }
  return undefined
}

interface Choice {
  readonly own: LineageInventory
  readonly line: HistoryLine
  readonly base: ArchivedBase
  readonly revision: Revision
  /** Names of files that must not be used. @default none */
  readonly excluded?: ReadonlySet<string> | undefined
}

function planFrom(inventory: Inventory, { own, line, base, revision, excluded }: Choice): RestorePlan {
  // A log is needed as far as the target, and not up to its own end.
  const chain = chainOf(
    line.logs.filter(({ first }) => first <= revision),
    base,
  )
  const enough = chain.findIndex(({ last }) => last >= revision)
  const logs = base.revision >= revision ? [] : chain.slice(0, enough + 1)
  const files = logs.map(plannedLog)
  const [access, ...moreAccess] = accessOf(inventory, own, excluded)
  return {
    ...{ lineage: own.lineage, ancestors: own.ancestors },
    base: plannedBase(base),
    logs: files,
    passedBases: line.bases
      .filter((each) => each.revision > base.revision && each.revision <= revision)
      .map(plannedBase),
    ...(access === undefined ? {} : { access }),
    moreAccess,
    target: { revision },
    lastRevision: logs.at(-1)?.last ?? base.revision,
    bytes: [...base.files, ...files].reduce((sum, { bytes }) => sum + bytes, 0),
  }
}

/** @param isPartial whether the caller knows that files are left out */
async function revisionOf(
  { line, isPartial }: { readonly line: HistoryLine; readonly isPartial: boolean },
  { revision, at, beforeCommit }: RestoreTarget,
  { files }: Inventory,
): Promise<Revision> {
  if (revision !== undefined) return revision
  if (at !== undefined) return revisionAt(line, at, files)
  if (beforeCommit !== undefined) return (await findCommit(line, beforeCommit, files)).entry.revision - 1
  const newest = rangesOf(line).at(-1)
  if (newest === undefined)
    throw new CoordinatorError('COORD_ARCHIVE_EMPTY', {
      detail: `The archive has no complete base of the history ${line.lineage}.`,
    })
  // A restore that silently leaves out what came after a gap would look whole.
  if (newest.to < lastRevisionOf(line) && !isPartial)
    throw new CoordinatorError('COORD_ARCHIVE_EMPTY', {
      detail: `The archive ends at revision ${lastRevisionOf(line)}, but lacks entries after revision ${newest.to}, the last one that can be restored.`,
      hint: `Restore with --revision ${newest.to}. Run \`coordinator backup list\` to see the moments that can be restored.`,
      extra: { lastGoodRevision: newest.to },
    })
  return newest.to
}

function reach({ logs }: HistoryLine, base: ArchivedBase): Revision {
  return chainOf(logs, base).at(-1)?.last ?? base.revision
}

function refuseContradiction({ lineages }: Inventory, line: HistoryLine, target: Revision): void {
  const names = namesOf(line)
  const [first] = line.segments
    .flatMap(({ lineage, until }) => {
      const found = lineages.find((each) => each.lineage === lineage)
      return found?.contradictions.filter((each) => each.revision <= until) ?? []
    })
    .filter(({ files }) => files.every(({ name }) => names.has(name)))
    .sort((left, right) => left.revision - right.revision)
  if (first === undefined || first.revision > target) return
  const ends = [...line.bases.map(({ revision }) => revision), ...line.logs.map(({ last }) => last)]
  const good = ends.reduce((newest, end) => (end < first.revision ? Math.max(newest, end) : newest), 0)
  throw new CoordinatorError('COORD_ARCHIVE_CONTRADICTION', {
    detail: `Two files disagree about revision ${first.revision}: ${first.files.map(({ name }) => name).join(' and ')}. The last revision before it is ${good}.`,
    hint: `Two databases wrote this history. Restore with --revision ${good}, which is before both files, and give each database a prefix of its own in BACKUP_URL.`,
    extra: { revision: first.revision, lastGoodRevision: good },
  })
}

function missing(line: HistoryLine, revision: Revision): CoordinatorError {
  const ranges = rangesOf(line).map(({ from, to }) => (from === to ? `${from}` : `${from} to ${to}`))
  return new CoordinatorError('COORD_ARCHIVE_EMPTY', {
    detail:
      ranges.length === 0
        ? `The archive has no complete base of the history ${line.lineage}.`
        : `Revision ${revision} cannot be restored. The archive has ${ranges.slice(-8).join(', ')} of the history ${line.lineage}.`,
  })
}

function plannedBase({ revision, digest, files }: ArchivedBase): PlannedBase {
  return { revision, digest, files }
}

function plannedLog({ file, last, isCut }: LineLog): PlannedLog {
  return isCut ? { ...file, through: last } : file
}

function namesOf({ bases, logs }: HistoryLine): ReadonlySet<string> {
  const files = [...bases.flatMap((base) => base.files), ...logs.map(({ file }) => file)]
  return new Set(files.map(({ name }) => name))
}
