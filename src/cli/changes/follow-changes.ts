import { setTimeout as pause } from 'node:timers/promises'
import type { CoordinatorError } from '../../errors.ts'
import type { CoordinatorClient } from '../context/coordinator-client.ts'
import { mayPass } from '../context/passing-errors.ts'
import { readEvents } from './read-events.ts'

export interface FollowOptions {
  readonly client: CoordinatorClient
  /** The filters. */
  readonly query: URLSearchParams
  /** The position or revision after which the changes begin. */
  readonly after: string
  /** Called once for each interruption. */
  readonly onInterruption: (error: CoordinatorError | undefined) => void
  /** The shortest time between two connections. @default 1_000 (milliseconds) */
  readonly pauseMs?: number
}

/** The coordinator sends a comment every 15 seconds. A connection on which nothing comes for longer is dead. */
const silenceMs = 45_000
const longestPauseMs = 30_000

/**
 * The entries of the journal after a position, and new ones as they come, without an end. Connects again after an interruption, and goes on
 * after the last entry, so that none is missing and none comes twice.
 *
 * @throws the error of the first connection, and later errors that do not pass by themselves, such as a history that was replaced
 */
export async function* followChanges({
  client,
  query,
  after,
  onInterruption,
  pauseMs = 1_000,
}: FollowOptions): AsyncGenerator<unknown> {
  let position = after
  let connected = false
  for (let waitMs = pauseMs; ; waitMs = Math.min(longestPauseMs, waitMs * 2)) {
    let error: CoordinatorError | undefined
    try {
      const path = `/changes?${new URLSearchParams([...query, ['after', position]])}`
      const chunks = client.download(path, { headers: { accept: 'text/event-stream' }, silenceMs })
      for await (const { id, data } of readEvents(chunks)) {
        connected = true
        waitMs = pauseMs
        if (data !== undefined) yield JSON.parse(data)
        // Only now: an entry that was not passed on must come again.
        if (id !== undefined && id !== '') position = id
      }
      connected = true
    } catch (thrown) {
      if (!connected || !mayPass(thrown)) throw thrown
      error = thrown
    }
    if (waitMs === pauseMs) onInterruption(error)
    await pause(Math.max(waitMs, (error?.retryAfterSeconds ?? 0) * 1_000))
  }
}
