import type { BackupFigures } from '../../archive/archiver/backup-figures.ts'
import type { ReplicaFigures, ReplicaReport } from '../../database/store.ts'
import type { Live } from '../../live/live.ts'
import { mebibytes } from '../../live/memory/memory-faults.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import { backupAnswer } from './backup-answer.ts'
import type { ServerFacts } from './database-inspection.ts'
import { causeOf, memoryAnswer, sourceOf } from './live-answer.ts'
import type { StorageNote } from './storage-note.ts'

/** The largest number of records that one answer lists. */
const refusedListed = 100

interface DatabaseContext {
  readonly live: Live
  readonly metrics: Metrics
  readonly backup: (() => BackupFigures) | undefined
  readonly storage: StorageNote
  readonly notice: string | undefined
}

/** The answer to `GET /database`. It contains no secret: the details of errors and of the server are without secrets. */
export function databaseAnswer(
  { live, metrics, backup, storage, notice }: DatabaseContext,
  { known, unknown }: ServerFacts,
): Record<string, unknown> {
  const { state, since, mode } = live.status
  const { headRevision, viewRevision, floor, ageMs, queueDepth, loadedRecords, refusedRecords } = live.figures
  const { calls } = metrics.database
  return {
    success: true,
    ...storage,
    ...(notice === undefined ? {} : { notice }),
    status: state,
    since: isoTime(since),
    mode,
    ...sourceOf(live.status),
    ...causeOf(live.status),
    ...(live.loaded ? { lineage: live.view.lineage } : {}),
    headRevision,
    viewRevision,
    lagRevisions: Math.max(0, headRevision - viewRevision),
    ageMs: Math.max(0, Math.round(ageMs)),
    floorRevision: floor,
    waitingWrites: queueDepth,
    memory: memoryAnswer(live),
    ...backupAnswer(backup),
    ...(live.store.historyInMemory === undefined
      ? {}
      : { historyMiB: mebibytes(live.store.historyInMemory.bytes()) }),
    ...(state === 'loading' ? { loadedRecords } : {}),
    refusedRecords: live.loaded
      ? live.view.refused
          .slice(0, refusedListed)
          .map(({ kind, id, revision, reason: why }) => ({ kind, id, revision, reason: why }))
      : [],
    refusedCount: refusedRecords,
    ...(live.store.pool === undefined ? {} : { pool: live.store.pool() }),
    ...(live.store.replicas === undefined ? {} : replicasAnswer(live.store.replicas())),
    ...(known === undefined ? {} : { server: { ...known, inspectedAt: isoTime(known.inspectedAt) } }),
    ...(unknown === undefined ? {} : { serverUnknown: unknown }),
    latency: calls.latency,
    lastErrors: calls.lastFailures.map((failure) => ({ ...failure, at: isoTime(failure.at) })),
  }
}

function replicasAnswer({ replicas, reads }: ReplicaReport): Record<string, unknown> {
  return { replicas: replicas.map(replicaAnswer), replicaReads: reads }
}

/** What is unknown is left out: a lag of 0 would say that the replica is up to date. */
function replicaAnswer({ host, role, state, connections, ...rest }: ReplicaFigures): Record<string, unknown> {
  const { revision, lagRevisions, answeredAt, failure } = rest
  return {
    ...{ host, role, state },
    ...(revision === undefined ? {} : { revision, lagRevisions }),
    ...(answeredAt === 0 ? {} : { answeredAt: isoTime(answeredAt) }),
    ...(failure === undefined ? {} : { failure: { code: failure.code, detail: failure.detail } }),
    ...(connections === undefined ? {} : { connections }),
  }
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString()
}
