import type { Store } from '../../database/store.ts'
import { CoordinatorError } from '../../errors.ts'
import type { Entry, Revision } from '../../records/record.ts'
import { pause } from '../../scheduling/backoff.ts'
import type { Destination } from '../destination/destination.ts'
import type { ArchivedLineage, NewFile } from '../format/archive-format.ts'
import { splitLog, writeLog } from '../format/write-log.ts'
import { type ArchivedLog, chainOf, type Mark, markOf, readTrail, type Trail } from '../inventory/trail.ts'
import { contradiction } from './log-writer.ts'
import { readJournal } from './read-journal.ts'

/** Files below this are small, in bytes. A full one has more. */
const SMALL_BYTES = 262_144
/** So many small files in a row are rewritten together. */
const RUN_LENGTH = 8
/** The part of the time in which the journal is read for this. Nothing is urgent about it. */
const SHARE = 1 / 5

export interface RewriteParts {
  readonly store: Pick<Store, 'changes'>
  readonly destination: Destination
  readonly recipients: readonly string[]
  readonly write: (file: NewFile) => Promise<void>
}

/** Small files that follow each other. */
interface Run {
  readonly after: Mark
  readonly logs: readonly ArchivedLog[]
}

/**
 * Writes the entries of many small log files again, into few large ones. It reads them from the journal, because the coordinator cannot
 * decrypt its own files. The small ones stay: `pruneArchive` removes them a day later.
 *
 * @param until only logs up to this revision, which a base has
 * @returns how many files were rewritten
 * @throws COORD_ARCHIVE_CONTRADICTION if the archive has other entries than the journal
 */
export async function rewriteLogs(
  parts: RewriteParts,
  { history, until }: { readonly history: ArchivedLineage; readonly until: Revision },
  signal: AbortSignal,
): Promise<number> {
  const trail = await readTrail(parts.destination, history.lineage, signal)
  let rewritten = 0
  for (const run of runsOf(trail, until))
    if (await rewriteRun(parts, { history, run }, signal)) rewritten += run.logs.length
  return rewritten
}

function* runsOf({ bases, logs }: Trail, until: Revision): Generator<Run> {
  let reached: Mark | undefined
  for (const base of bases) {
    if (!base.isComplete || base.revision < (reached?.revision ?? 0)) continue
    reached = base
    let run: ArchivedLog[] = []
    let after: Mark = base
    const ended = (): Run | undefined => (run.length < RUN_LENGTH ? undefined : { after, logs: run })
    for (const log of chainOf(logs, base, until)) {
      // Small ones may overlap where several coordinators wrote: the journal is read once, from the end of what comes before.
      const isSmall = log.file.bytes < SMALL_BYTES
      if (isSmall) run.push(log)
      else {
        const found = ended()
        if (found !== undefined) yield found
        run = []
        after = markOf(log)
      }
      reached = markOf(log)
    }
    const found = ended()
    if (found !== undefined) yield found
  }
}

/** @returns whether the journal still had all of it */
async function rewriteRun(
  { store, recipients, write }: RewriteParts,
  { history, run }: { readonly history: ArchivedLineage; readonly run: Run },
  signal: AbortSignal,
): Promise<boolean> {
  const until = (run.logs.at(-1) as ArchivedLog).last
  const digests = new Map(run.logs.map(({ last, digest }) => [last, digest]))
  for (let after = run.after; after.revision < until; ) {
    const began = performance.now()
    const { entries, offTrack } = await readJournal(store, history.lineage, after, { until })
    const tookMs = performance.now() - began
    if (offTrack !== undefined || entries.length === 0) return false
    for (const { revision, digest } of entries) requireSame(revision, digest, digests.get(revision))
    const position = { lineage: history.lineage, revision: after.revision, digest: after.digest }
    for (const page of splitLog({ ...history, after: position, entries }))
      await write(await writeLog(page, { recipients }))
    after = entries.at(-1) as Entry
    await pause(tookMs / SHARE, signal)
    if (signal.aborted) throw new CoordinatorError('COORD_SHUTTING_DOWN')
  }
  return true
}

function requireSame(revision: Revision, digest: string, archived: string | undefined): void {
  if (archived !== undefined && archived !== digest)
    throw contradiction(`Revision ${revision} has another digest in the archive than in the database.`)
}
