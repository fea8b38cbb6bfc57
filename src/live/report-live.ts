import type { Logger } from '../telemetry/logging.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { LiveObserver } from './live-observer.ts'
import type { LiveState, LiveStatus } from './status.ts'

/** More records than this are only counted: `GET /database` lists them. */
const maxRefusedLogged = 20

/** Writes what happens to the live view into the log and the metrics. */
export function reportLive(logger: Logger, metrics: Metrics['live']): LiveObserver {
  let loadedOnce = false
  let before: LiveState = 'connecting'
  return {
    status(status) {
      logStatus(logger, status, before)
      before = status.state
    },
    batch: (batch) => metrics.batch(batch),
    committed: (how, durationMs) => metrics.committed(how, durationMs),
    replaced(view, reason) {
      const figures = { revision: view.revision, lineage: view.lineage, refusedRecords: view.refusedCount }
      if (loadedOnce) {
        metrics.reloaded()
        logger.warn({ ...figures, reason }, 'the live view was built anew')
      } else {
        logger.info(figures, 'the records are loaded')
      }
      loadedOnce = true
      for (const record of view.refused.slice(0, maxRefusedLogged))
        logger.warn({ record }, 'a record breaks the rules of its kind and is not served')
    },
    contradicted(reply, known) {
      metrics.forked()
      logger.error(
        { status: reply.status, known, found: reply.head.position },
        'the database contradicts what it had acknowledged: it was restored, or lost its newest commits; a new lineage begins',
      )
    },
    compacted: ({ floor }) => logger.info({ floor }, 'old history was forgotten'),
    clock(aheadMs) {
      if (aheadMs > 0)
        logger.warn(
          { aheadMs },
          "the times of the journal are ahead of the database's clock: new entries get the same time until it has caught up",
        )
      else logger.info("the times of the journal are no longer ahead of the database's clock")
    },
    backgroundFailure: (task, error) => logger.warn({ task, err: error }, 'work in the background failed'),
  }
}

function logStatus(logger: Logger, { state, reason, code, repair }: LiveStatus, before: LiveState): void {
  const facts = {
    state,
    ...(reason === undefined ? {} : { reason }),
    ...(code === undefined ? {} : { code }),
    ...(repair === undefined ? {} : { repair }),
  }
  if (state === 'degraded') logger.warn(facts, 'the database does not answer as it should')
  else if (state === 'connecting' && reason !== undefined) logger.warn(facts, 'the database is not there yet')
  else if (before === 'degraded') logger.info(facts, 'the database answers again')
  else logger.debug(facts, 'the state of the database changed')
}
