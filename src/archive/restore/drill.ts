import type { Entry, Revision } from '../../records/record.ts'
import type { ArchivedFile, Destination } from '../destination/destination.ts'
import { damaged } from '../format/damaged.ts'
import { parseFileName } from '../format/file-name.ts'
import { noteCheck } from '../inventory/checks.ts'
import type { PlannedBase, RestorePlan } from '../inventory/restore-plan.ts'
import { ArchiveReader, type ArchiveReaderOptions } from './archive-reader.ts'
import { RestoredState } from './restored-state.ts'

/** What a drill showed. */
export interface DrillReport {
  /**
   * - `contents`: the entries of the log lead from one base to exactly the records of the next one. If the archive has only one base: its
   *   records are those that it recorded, and the log continues it.
   * - `structure`: the files are encrypted, and no identity was given. They are there, and nothing is missing between them.
   */
  readonly checked: 'contents' | 'structure'
  readonly lineage: string
  /** Of the base where the drill began. */
  readonly fromRevision: Revision
  /** Of the base that it reached. The same revision if the archive has only one base. */
  readonly toRevision: Revision
  readonly files: number
  readonly bytes: number
  /** Milliseconds. */
  readonly tookMs: number
}

/** Notes in the archive that a drill went well. @throws what destinations throw */
export function noteDrill(
  destination: Destination,
  { lineage, toRevision, checked }: DrillReport,
  at: number,
): Promise<void> {
  return noteCheck(destination, { at, lineage, revision: toRevision, checked, by: 'drill' })
}

/**
 * Rehearses a restore without a database: replays the log from one base to the next, and compares the records with those of that base,
 * which came from the view of a coordinator, and not from the log. Of each record, only the key, the revision and a hash are kept.
 *
 * @param plan its target is the revision of its last passed base, if it has one
 * @throws COORD_ARCHIVE_DAMAGED, and what destinations throw
 */
export async function drill(
  plan: RestorePlan,
  options: Omit<ArchiveReaderOptions, 'onRead'>,
): Promise<DrillReport> {
  const started = performance.now()
  const read = { files: 0, bytes: 0 }
  const onRead = (bytes: number) => {
    read.files += 1
    read.bytes += bytes
  }
  const reader = new ArchiveReader({ ...options, onRead })
  const { lineage, base, passedBases } = plan
  const goal = passedBases.at(-1)
  // Files that were written before BACKUP_RECIPIENTS was set are not encrypted, and those after them are.
  const isOpened = (options.identities ?? []).length > 0 || !filesOf(plan).some(isEncrypted)
  if (isOpened) await compare(reader, plan)
  else await checkStructure(reader, plan)
  return {
    checked: isOpened ? 'contents' : 'structure',
    ...{ lineage, fromRevision: base.revision, toRevision: (goal ?? base).revision, ...read },
    tookMs: Math.round(performance.now() - started),
  }
}

async function compare(reader: ArchiveReader, plan: RestorePlan): Promise<void> {
  const { base, passedBases } = plan
  const goal = passedBases.at(-1)
  const state = new RestoredState()
  for await (const { records } of reader.records(base.files)) if (goal !== undefined) await state.add(records)
  let last: Pick<Entry, 'revision' | 'digest'> = base
  for await (const entries of reader.entriesTo(plan)) {
    if (goal !== undefined) await state.apply(entries)
    last = entries.at(-1) ?? last
  }
  if (goal !== undefined) await requireGoal({ reader, goal, state, last })
}

async function requireGoal({
  reader,
  goal,
  state,
  last,
}: {
  readonly reader: ArchiveReader
  readonly goal: PlannedBase
  readonly state: RestoredState
  readonly last: Pick<Entry, 'revision' | 'digest'>
}): Promise<void> {
  const [{ name = '' } = {}] = goal.files
  if (last.revision !== goal.revision)
    throw damaged(name, `The log ends at revision ${last.revision}, before this base.`)
  if (last.digest !== goal.digest) throw damaged(name, 'It belongs to another history than the log.')
  const { state: recorded } = await reader.endOfBase(goal.files)
  if ((await state.digest()) !== recorded)
    throw damaged(name, 'The entries of the log lead to other records than those of this base.')
}

/** Checks each file as far as that is possible without an identity. */
async function checkStructure(
  reader: ArchiveReader,
  { base, logs, passedBases }: RestorePlan,
): Promise<void> {
  for (const { files } of [base, ...passedBases])
    if (files.some(isEncrypted)) for (const file of files) await reader.checkStructure(file)
    else for await (const _ of reader.records(files));
  for (const file of logs) await (isEncrypted(file) ? reader.checkStructure(file) : reader.log(file))
}

function filesOf({ base, logs, passedBases }: RestorePlan): readonly ArchivedFile[] {
  return [...base.files, ...logs, ...passedBases.flatMap(({ files }) => files)]
}

function isEncrypted({ name }: ArchivedFile): boolean {
  return parseFileName(name)?.encrypted === true
}
