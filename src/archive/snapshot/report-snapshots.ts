import type { CoordinatorError } from '../../errors.ts'
import type { Revision } from '../../records/record.ts'
import type { Logger } from '../../telemetry/logging.ts'
import type { SnapshotObserver } from './snapshot-writer.ts'

export interface ServedFacts {
  readonly revision: Revision
  /** When the database confirmed it last. Epoch milliseconds. */
  readonly confirmedAt: number
  /** Whether the tokens in it are too old to be accepted. */
  readonly tokensTooOld: boolean
}

/** What happens to snapshots, as the log shows it. */
export interface SnapshotReport extends SnapshotObserver {
  /** A snapshot, or its tokens, cannot be used. */
  ignored(path: string, err: CoordinatorError): void
  /** A snapshot is served. */
  served(path: string, facts: ServedFacts): void
}

export function reportSnapshots(logger: Logger): SnapshotReport {
  return {
    written: (facts) => logger.debug(facts, 'a snapshot was written'),
    failing: (err) => logger.warn({ err }, 'a snapshot cannot be written: it is tried again'),
    recovered: () => logger.info('snapshots can be written again'),
    ignored: (path, err) => logger.warn({ path, err }, 'a snapshot is not used'),
    served(path, { revision, confirmedAt, tokensTooOld }) {
      logger.warn(
        { path, revision, at: new Date(confirmedAt).toISOString() },
        'the database cannot be reached: a snapshot is served, for reads only, until it is back',
      )
      if (tokensTooOld)
        logger.warn(
          'the tokens in the snapshot are older than an hour, or their time is in the future: those that the database keeps are refused until it answers',
        )
    },
  }
}
