import { findSnapshots } from './archive/snapshot/find-snapshots.ts'
import type { SnapshotReport } from './archive/snapshot/report-snapshots.ts'
import { CLOCK_TOLERANCE_MS, SnapshotFolder } from './archive/snapshot/snapshot-folder.ts'
import { SnapshotWriter } from './archive/snapshot/snapshot-writer.ts'
import type { Settings } from './config/settings.ts'
import { snapshotNameOf } from './config/snapshot-settings.ts'
import { sourceOf } from './create-archiver.ts'
import type { AccessState } from './database/access-store.ts'
import type { Live } from './live/live.ts'
import type { StartSnapshot } from './live/state/start-snapshot.ts'

/** For how long the tokens of a snapshot count. Later, somebody may have revoked them long ago. Milliseconds. */
const TOKENS_MAX_AGE_MS = 3_600_000
const HOUR_MS = 3_600_000

/** Tokens of a snapshot, and until when they count, in epoch milliseconds. */
export interface BorrowedTokens {
  readonly state: Omit<AccessState, 'version'>
  readonly until: number
}

export interface Snapshots {
  /**
   * What may be served if the database cannot be reached, the newest first.
   *
   * @param served called when one of them is served, with its tokens if they count
   */
  find(served: (tokens: BorrowedTokens | undefined) => void): AsyncGenerator<StartSnapshot>
  /** It writes when it is started, and a last time when the live layer stops. */
  createWriter(live: Live): SnapshotWriter
}

/** @returns `undefined` without SNAPSHOT_DIR, and for a backend that needs no snapshots */
export function openSnapshots(settings: Settings, report: SnapshotReport): Snapshots | undefined {
  const { snapshotDir, snapshotMaxAgeHours, databaseSchema } = settings
  const database = snapshotNameOf(settings.database, databaseSchema)
  if (snapshotDir === undefined || database === undefined) return undefined
  const folder = new SnapshotFolder(snapshotDir, database)
  return {
    async *find(served) {
      const options = {
        ...{ database, maxAgeMs: snapshotMaxAgeHours * HOUR_MS, clock: Date.now },
        ignored: report.ignored,
      }
      for await (const { path, point, floor, confirmedAt, access, pages } of findSnapshots(folder, options)) {
        const { ancestors, at, ...position } = point
        yield {
          // The version of the tokens and the mode are those of the database, which is not there.
          head: { position, floor, at, ancestors, accessVersion: '', mode: 'open' },
          confirmedAt,
          pages,
          served() {
            const tokens = access === undefined ? undefined : borrowed(access)
            served(tokens)
            const tokensTooOld = access !== undefined && tokens === undefined
            report.served(path, { revision: point.revision, confirmedAt, tokensTooOld })
          },
          refused: (why) => report.ignored(path, why),
        }
      }
    },
    createWriter: (live) => createWriter(live, { folder, database, report }),
  }
}

interface WriterParts {
  readonly folder: SnapshotFolder
  readonly database: string
  readonly report: SnapshotReport
}

function createWriter(live: Live, { folder, database, report }: WriterParts): SnapshotWriter {
  const source = sourceOf(live)
  const writer = new SnapshotWriter({
    ...{ access: live.store.access, folder, database, observer: report },
    source: {
      ...source,
      confirmed() {
        if (source.served() === undefined) return undefined
        const { ageMs, floor } = live.figures
        return { confirmedAt: Math.floor(Date.now() - ageMs), floor }
      },
    },
  })
  let isConfirmed = false
  live.observe({
    status({ snapshotAt }) {
      if (snapshotAt === undefined && !isConfirmed && live.loaded) writer.look()
      isConfirmed = snapshotAt === undefined && live.loaded
    },
    access: () => writer.look(),
  })
  live.beforeClose((leftMs) => writer.finish(leftMs))
  return writer
}

function borrowed({
  state,
  confirmedAt,
}: {
  readonly state: BorrowedTokens['state']
  readonly confirmedAt: number
}): BorrowedTokens | undefined {
  const now = Date.now()
  const until = confirmedAt + TOKENS_MAX_AGE_MS
  // If the clock was set back, nobody knows how old they are.
  return now < until && confirmedAt < now + CLOCK_TOLERANCE_MS ? { state, until } : undefined
}
