import type { Logger } from '../../telemetry/logging.ts'
import type { BackupObserver } from './backup-figures.ts'

/** Reports the events of the archiver in the log. */
export function reportArchiver(logger: Logger): BackupObserver {
  return {
    begun: ({ lineage, from, hasBase }) =>
      logger.info(
        { lineage, revision: from },
        hasBase ? 'the backups go on where the archive ends' : 'the backups of this history begin',
      ),
    failing: (err) => logger.warn({ err }, 'a backup failed: it is tried again'),
    stopped: (err) =>
      logger.error({ err }, 'the backups have stopped: the archive and the database contradict each other'),
    recovered: () => logger.info('the backups go on'),
    lost: (facts) =>
      logger.error(
        facts,
        'the newest base is no longer in the archive: somebody removed it; a new one begins',
      ),
    based: (facts) => logger.info(facts, 'all records were archived'),
    gap: (facts) =>
      logger.error(
        facts,
        'the journal was compacted before it was archived: these revisions cannot be restored; a new base begins',
      ),
    pruned: (facts) => logger.info(facts, 'old files of the archive were removed'),
    drilled({ ok, at, checked, detail }) {
      const facts = { at: new Date(at).toISOString(), checked, detail }
      if (ok) logger.info(facts, 'a restore was rehearsed')
      else logger.error(facts, 'a rehearsed restore failed: run `coordinator backup verify`')
    },
  }
}
