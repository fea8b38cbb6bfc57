import type { Access } from '../../access/access.ts'
import type { BackupFigures } from '../../archive/archiver/backup-figures.ts'
import type { KnowledgeGraph } from '../../graph/knowledge-graph.ts'
import type { Live } from '../../live/live.ts'
import type { Registry } from '../../registry/registry.ts'
import type { Logger } from '../../telemetry/logging.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import type { Answers } from '../answering/answers.ts'
import type { StorageNote } from '../answering/storage-note.ts'
import type { ClientLimits } from '../client/client-limits.ts'
import type { OutgoingBytes } from '../sending/outgoing-bytes.ts'
import type { WholeStreams } from '../streams/whole-streams.ts'

/** The parts of the server that routes use. */
export interface HttpContext {
  readonly live: Live
  readonly registry: Registry
  readonly graph: KnowledgeGraph
  readonly access: Access
  readonly metrics: Metrics
  readonly log: Logger
  readonly answers: Answers
  readonly outgoing: OutgoingBytes
  readonly wholeStreams: WholeStreams
  readonly limits: ClientLimits
  /** The state of the backups; absent without BACKUP_URL. */
  readonly backup: (() => BackupFigures) | undefined
  readonly storage: StorageNote
  /** A warning that the storage is not durable; absent if everything survives a restart. */
  readonly notice: string | undefined
  readonly version: string
  /**
   * How long a client may read nothing of a large answer before its connection is closed, in milliseconds. The speed of the client of a
   * stream is measured over the same time.
   */
  readonly stallTimeoutMs: number
  /** Aborted when the server begins to stop, so that streams end. */
  readonly draining: AbortSignal
}
