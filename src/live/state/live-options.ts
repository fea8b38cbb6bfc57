import type { StoreMeter } from '../../database/guard-store.ts'
import type { Revision } from '../../records/record.ts'
import type { MemoryBudget } from '../memory/memory-budget.ts'
import type { StartSnapshot } from './start-snapshot.ts'

/** All times in milliseconds unless the name says otherwise. */
export interface LiveOptions {
  /** How long a commit may take. @default 10_000 */
  readonly commitTimeoutMs: number
  /** How many commits may wait. @default 20_000 */
  readonly queueMax: number
  /** Commits in a batch. @default 512 */
  readonly batchMaxCommits: number
  /** Size of `data` in a batch, in UTF-16 code units. @default 1_048_576 */
  readonly batchMaxSize: number
  /** The pause between two questions for new entries, while there are new ones. @default 100 (milliseconds) */
  readonly pollMinMs: number
  /** The same pause while there are no new entries. @default 500 (milliseconds) */
  readonly pollMaxMs: number
  /**
   * How long the view may stay unconfirmed beyond `pollMaxMs` before the status is degraded. With a question every `pollMaxMs`, a
   * confirmation comes at most two round trips later. @default 1_400
   */
  readonly confirmationMarginMs: number
  /** How long the view may stay behind without progress. @default 10_000 */
  readonly stallTimeoutMs: number
  /** How long `waitForRevision` waits. @default 3_000 */
  readonly revisionTimeoutMs: number
  /** History that is younger than this is kept. `0`: the age does not count. @default 720 (hours) */
  readonly keepHours: number
  /** This many of the newest revisions are kept. @default 100_000 */
  readonly keepRevisions: number
  /** How long after the first load the store is examined for damage. @default 1_000 */
  readonly examineAfterMs: number
  /** How often it is examined again, with a jitter of a tenth. @default 3_600_000 */
  readonly examineIntervalMs: number
  /** How often old history is deleted, with a jitter of a tenth. @default 3_600_000 */
  readonly retentionIntervalMs: number
  /** How many bytes the history in this process may take. @default no limit */
  readonly keepBytes?: number
  /** The memory budget. @default that of this process */
  readonly memory?: MemoryBudget
  /** Counts the calls of the store. @default they are not counted */
  readonly meter?: StoreMeter
  /** After this time without an answer of the store, or after its first failure, the search for a snapshot begins. @default 1_000 */
  readonly snapshotSearchMs: number
  /** How long after the start a snapshot is served at the earliest. @default 3_000 */
  readonly snapshotServeMs: number
  /** Finds the snapshots that may be served if the store cannot be reached at the start, the best first. @default there are none */
  readonly findSnapshots?: () => AsyncIterable<StartSnapshot>
  /**
   * The newest revision when credentials were first demanded, or `null`; see `AccessState`. Asked whenever an entry is shown, because the
   * answer changes when a coordinator demands them for the first time. @default nobody ever had to prove anything
   */
  readonly requiredSince?: () => Revision | null
}

export const LIVE_DEFAULTS: LiveOptions = {
  commitTimeoutMs: 10_000,
  queueMax: 20_000,
  batchMaxCommits: 512,
  batchMaxSize: 1_048_576,
  pollMinMs: 100,
  pollMaxMs: 500,
  confirmationMarginMs: 1_400,
  stallTimeoutMs: 10_000,
  revisionTimeoutMs: 3_000,
  keepHours: 720,
  keepRevisions: 100_000,
  examineAfterMs: 1_000,
  examineIntervalMs: 3_600_000,
  retentionIntervalMs: 3_600_000,
  snapshotSearchMs: 1_000,
  snapshotServeMs: 3_000,
}
