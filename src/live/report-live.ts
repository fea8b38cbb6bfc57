import type { Logger } from '../telemetry/logging.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { MemoryState } from './memory/memory-budget.ts'
import { mebibytes } from './memory/memory-faults.ts'
import type { LiveState, LiveStatus } from './state/status.ts'
import type { LiveObserver } from './view/live-observer.ts'

/** If there are more records than this, they are only counted: `GET /database` lists them. */
const maxRefusedLogged = 20

/** The log reports compacted history at most once in this time, in milliseconds. It may be compacted many times a second. */
const compactedPauseMs = 60_000

/** Reports the events of the live view in the log and the metrics. */
export function reportLive(logger: Logger, metrics: Metrics['live']): LiveObserver {
  let loadedOnce = false
  let before: LiveState = 'connecting'
  let compactedAt = Number.NEGATIVE_INFINITY
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
        logger.warn({ ...figures, reason }, 'the live view was loaded again')
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
        'the database contradicts its acknowledged history: it was restored, or lost its newest commits; a new lineage begins',
      )
    },
    compacted({ floor }) {
      const isNews = performance.now() - compactedAt > compactedPauseMs
      if (isNews) compactedAt = performance.now()
      logger[isNews ? 'info' : 'debug']({ floor }, 'old history was forgotten')
    },
    dropped: (reason) =>
      logger.warn(
        { reason },
        'nothing is served until the new live view is built: there was no memory for the old one and the new one',
      ),
    memory: (state, { usedBytes, limitBytes }) =>
      logMemory(logger, state, { usedMiB: mebibytes(usedBytes), limitMiB: mebibytes(limitBytes) }),
    memoryRefused: () => metrics.memoryRefused(),
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

function logMemory(logger: Logger, state: MemoryState, facts: Record<string, number>): void {
  if (state === 'free') logger.info(facts, 'there is free memory again: all writes are accepted')
  else if (state === 'full')
    logger.warn(
      facts,
      'the memory is nearly full: writes that need memory are refused; reading and deregistering go on',
    )
  else logger.error(facts, 'the memory is used up: changes of other coordinators are not loaded any more')
}

function logStatus(logger: Logger, { state, reason, code, repair }: LiveStatus, before: LiveState): void {
  const facts = { state, reason, code, repair }
  if (state === 'degraded') logger.warn(facts, 'the coordinator is degraded: it serves what it has loaded')
  else if (state === 'copy' || state === 'frozen')
    logger.warn(facts, 'the database takes no writes: it is served as it is')
  else if (state === 'connecting' && reason !== undefined) logger.warn(facts, 'the database is not there yet')
  else if (before === 'degraded' && state !== 'loading')
    logger.info(facts, 'the coordinator is no longer degraded')
  else if (before === 'copy' || before === 'frozen') logger.info(facts, 'the database takes writes')
  else logger.debug(facts, 'the state of the database changed')
}
