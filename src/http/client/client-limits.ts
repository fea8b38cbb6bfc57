import type { FastifyRequest } from 'fastify'
import { StreamLimit } from '../../access/limits/stream-limit.ts'
import { WriteLimit } from '../../access/limits/write-limit.ts'
import { LIMITS } from '../../records/limits.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import type { ConnectionMemory } from './connection-memory.ts'
import { shareOf } from './share-of.ts'

export interface ClientLimitsOptions {
  /** LIMIT_WRITES_PER_SECOND. @default no limit */
  readonly limitWritesPerSecond?: number | undefined
  /** LIMIT_STREAMS. @default no limit */
  readonly limitStreams?: number | undefined
  /** Without it, streams take no memory that is limited. */
  readonly memory?: ConnectionMemory
}

const nothing = () => undefined

/** The limits of each principal, or of each client where nobody proves who they are. They cost nothing while they are not set. */
export class ClientLimits {
  readonly #writes: WriteLimit | undefined
  readonly #streams: StreamLimit | undefined
  readonly #memory: ConnectionMemory | undefined

  constructor(
    { limitWritesPerSecond: perSecond, limitStreams: max, memory }: ClientLimitsOptions,
    metrics: Metrics,
  ) {
    this.#memory = memory
    const onRefused = (limit: 'writes' | 'streams') => () => metrics.http.limited(limit)
    if (perSecond !== undefined) this.#writes = new WriteLimit({ perSecond, onRefused: onRefused('writes') })
    if (max !== undefined) this.#streams = new StreamLimit({ max, onRefused: onRefused('streams') })
  }

  /**
   * Counts the writes of a request. Heartbeats store nothing and are no writes.
   *
   * @throws COORD_RATE_LIMITED with `not_written`
   */
  countWrites(request: FastifyRequest): void {
    if (this.#writes !== undefined) this.#writes.take(shareOf(request), itemsIn(request.body))
  }

  /**
   * Counts a stream, or a request that waits for changes.
   *
   * @returns ends the count; may be called again
   * @throws COORD_RATE_LIMITED, COORD_STREAMS_FULL
   */
  openStream(request: FastifyRequest): () => void {
    this.#memory?.takeStream()
    return this.#streams === undefined ? nothing : this.#streams.open(shareOf(request))
  }
}

/** How many writes a body asks for: the items of a batch, or one. Larger batches are refused as a whole. */
function itemsIn(body: unknown): number {
  const items = typeof body === 'object' && body !== null && 'services' in body ? body.services : body
  return Array.isArray(items) ? Math.min(items.length, LIMITS.batch) : 1
}
